import TensorCore
import TestSupport

func contractionGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  switch operation {
  case .linear:
    let (x, weight) = (Sample.uniform([2, 3, 4], seed: 51), Sample.uniform([5, 4], seed: 52))
    let bias = Sample.uniform([5], seed: 53)
    return [
      GradientCheck("linear", [x, weight, bias]) { $0[0].linear($0[1], $0[2]) },
      GradientCheck("linear without bias", [x, weight]) { $0[0].linear($0[1]) },
    ]
  case .softmax, .logSoftmax:
    let x = Sample.uniform([3, 4, 5], seed: 58, low: -3, high: 3)
    let isLogarithm = operation == .logSoftmax
    return [-1, 0, 1].map { axis in
      GradientCheck("\(operation) along \(axis)", [x]) {
        isLogarithm ? $0[0].logSoftmax(axis: axis) : $0[0].softmax(axis: axis)
      }
    }
  case .crossEntropy:
    let x = Sample.uniform([2, 3, 5], seed: 59, low: -3, high: 3)
    return [LossReduction.mean, .sum, .none].map { reduction in
      GradientCheck("cross-entropy, \(reduction)", [x]) {
        $0[0].crossEntropy(
          [4, 0, 2, 1, 1, 3], reduction: reduction, labelSmoothing: 0.1, ignoring: 2)
      }
    }
  case .embedding:
    return [
      GradientCheck("embedding", [Sample.uniform([5, 3], seed: 60)]) {
        $0[0].embedding([4, 0, 4, 1, 2, 4], shape: [2, 3])
      }
    ]
  case .attention: return attentionChecks()
  default: return matrixProductChecks()
  }
}

private func matrixProductChecks() -> [GradientCheck] {
  let batches: [([Int], [Int])] = [([], []), ([3], []), ([], [2]), ([2, 1], [3])]
  let forms = [(false, false), (false, true), (true, false), (true, true)]
  var checks = batches.flatMap { left, right in
    forms.map { transposeA, transposeB in
      let a = Sample.uniform(left + (transposeA ? [4, 2] : [2, 4]), seed: 54)
      let b = Sample.uniform(right + (transposeB ? [3, 4] : [4, 3]), seed: 55)
      return GradientCheck("\(a.shape) \(transposeA) by \(b.shape) \(transposeB)", [a, b]) {
        $0[0].matmul($0[1], transposeA: transposeA, transposeB: transposeB)
      }
    }
  }
  let (vector, matrix) = (Sample.uniform([4], seed: 56), Sample.uniform([4, 3], seed: 57))
  checks.append(GradientCheck("vector by matrix", [vector, matrix]) { $0[0].matmul($0[1]) })
  return checks
}

private func attentionChecks() -> [GradientCheck] {
  let (q, k) = (Sample.uniform([2, 5, 4, 3], seed: 61), Sample.uniform([2, 7, 2, 3], seed: 62))
  let v = Sample.uniform([2, 7, 2, 6], seed: 63)
  let bias = Sample.uniform([4, 1, 7], seed: 64, low: -2, high: 2)
  let allowed = Tensor([1.0, 0, 1, 1, 0, 1, 1], shape: [7])
  let masks: [AttentionMask?] = [nil, .added(bias), .allowed(allowed)]
  var checks = masks.flatMap { mask in
    [false, true].map { causal in
      GradientCheck("attention, causal \(causal)", [q, k, v]) {
        .attention(
          query: $0[0], key: $0[1], value: $0[2], mask: mask, causal: causal, scale: 0.8)
      }
    }
  }
  let long = Sample.uniform([1, 600, 1, 1], seed: 65)
  checks.append(
    GradientCheck("attention over several blocks", [Sample.uniform([1, 3, 1, 1], seed: 66), long]) {
      .attention(query: $0[0], key: $0[1], value: $0[1])
    })
  return checks
}
