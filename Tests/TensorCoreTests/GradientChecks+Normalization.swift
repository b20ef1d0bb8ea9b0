import TensorCore
import TestSupport

func groupNormGradientChecks() -> [GradientCheck] {
  let x = Sample.uniform([2, 3, 2, 6], seed: 11, low: -1, high: 2)
  let (w, b) = (Sample.uniform([6], seed: 12), Sample.uniform([6], seed: 13))
  let (ws, bs) = (Sample.uniform([2, 6], seed: 14), Sample.uniform([2, 6], seed: 15))
  // More rows than a chunk of any width takes, so that chunks are joined.
  let long = Sample.uniform([1, 5, 2048], seed: 16)
  return [
    GradientCheck("group norm", [x, w, b]) {
      $0[0].groupNormalized(groups: 3, weight: $0[1], bias: $0[2])
    },
    GradientCheck("group norm then SiLU", [x, w, b]) {
      $0[0].groupNormalized(groups: 2, weight: $0[1], bias: $0[2], thenSiLU: true)
    },
    GradientCheck("group norm with each sample's scale", [x, ws, bs]) {
      $0[0].groupNormalized(groups: 3, weight: $0[1], bias: $0[2], thenSiLU: true)
    },
    GradientCheck("group norm without parameters", [x]) { $0[0].groupNormalized(groups: 6) },
    GradientCheck("group norm of fixed input", [w, b]) {
      x.groupNormalized(groups: 1, weight: $0[0], bias: $0[1])
    },
    GradientCheck("group norm over chunks", [Sample.uniform([1, 8], seed: 17)]) {
      let scale = $0[0].reshaped([1, 1, 8])
      let wide = long.reshaped([1, 1280, 8]) * scale + scale
      return wide.groupNormalized(groups: 4, thenSiLU: true).sum(axes: [1])
    },
  ]
}

func layerNormGradientChecks() -> [GradientCheck] {
  let x = Sample.uniform([2, 3, 37], seed: 21, low: -1, high: 2)
  let (w, b) = (Sample.uniform([37], seed: 22), Sample.uniform([37], seed: 23))
  return [
    GradientCheck("layer norm", [x, w, b]) { $0[0].layerNormalized(weight: $0[1], bias: $0[2]) },
    GradientCheck("layer norm without parameters", [x]) { $0[0].layerNormalized() },
    GradientCheck("layer norm without bias", [x, w]) { $0[0].layerNormalized(weight: $0[1]) },
  ]
}

func rmsNormGradientChecks() -> [GradientCheck] {
  let x = Sample.uniform([2, 3, 37], seed: 31, low: -1, high: 2)
  let w = Sample.uniform([37], seed: 32)
  return [
    GradientCheck("RMS norm", [x, w]) { $0[0].rmsNormalized(weight: $0[1], epsilon: 1e-3) },
    GradientCheck("RMS norm without parameters", [x]) { $0[0].rmsNormalized() },
  ]
}

func checkpointGradientChecks() -> [GradientCheck] {
  let (x, y) = (Sample.uniform([2, 3], seed: 41), Sample.uniform([3], seed: 42))
  return [
    GradientCheck("checkpoint", [x, y]) {
      Tensor.checkpointed([$0[0], $0[1]]) { ($0[0] * $0[1]).tanh() * $0[0] }
    },
    GradientCheck("checkpoint within a checkpoint", [x, y]) {
      Tensor.checkpointed([$0[0].exp(), $0[1]]) {
        Tensor.checkpointed($0) { ($0[0] + $0[1]).sigmoid() } * $0[0]
      }
    },
    GradientCheck("checkpoint of a constant and a variable", [y]) {
      Tensor.checkpointed([x, $0[0]]) { $0[0] * $0[1] }
    },
  ]
}
