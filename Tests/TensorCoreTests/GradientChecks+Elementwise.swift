import TensorCore
import TestSupport

func arithmeticGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  let function: @Sendable (Tensor, Tensor) -> Tensor
  switch operation {
  case .add: function = { $0 + $1 }
  case .subtract: function = { $0 - $1 }
  case .multiply: function = { $0 * $1 }
  case .divide: function = { $0 / $1 }
  case .powerOfTensors: function = { $0.power($1) }
  case .maximum: function = { Tensor.maximum($0, $1) }
  case .minimum: function = { Tensor.minimum($0, $1) }
  case .scale: function = { ($0 * 3 + 1) + (2 - $1) / 5 }
  default:
    let mask = Tensor([1.0, 0, 0, 1, 0, 1], shape: [2, 3])
    function = { Tensor.selected(where: mask, $0, else: $1) }
  }
  let shapes: [([Int], [Int])] = [
    ([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1], [2, 3]), ([4, 2, 3], [2, 1]), ([], [2, 3]),
  ]
  return shapes.map { first, second in
    let a = Sample.uniform(first, seed: 3, low: 0.5, high: 2)
    let b = Sample.uniform(second, seed: 4, low: 0.6, high: 1.9)
    return GradientCheck("\(operation) \(first) \(second)", [a, b]) { function($0[0], $0[1]) }
  }
}

func unaryGradientCheck(_ operation: DifferentiableOperation) -> GradientCheck {
  let positive = Sample.uniform([2, 7], seed: 5, low: 0.3, high: 3)
  let signed = Tensor(
    Sample.uniform([2, 7], seed: 6, low: -3, high: 3).doubles.map { abs($0) < 0.1 ? 0.4 : $0 },
    shape: [2, 7])
  let name = operation.rawValue
  switch operation {
  case .log: return GradientCheck(name, [positive]) { $0[0].log() }
  case .sqrt: return GradientCheck(name, [positive]) { $0[0].sqrt() }
  case .power: return GradientCheck(name, [positive]) { $0[0].power(1.7) }
  default: return GradientCheck(name, [signed]) { unary(operation, $0[0]) }
  }
}

/// The functions that are defined everywhere, by operation.
func unary(_ operation: DifferentiableOperation, _ x: Tensor) -> Tensor {
  switch operation {
  case .exp: x.exp()
  case .tanh: x.tanh()
  case .sigmoid: x.sigmoid()
  case .silu: x.silu()
  case .relu: x.relu()
  case .leakyReLU: x.leakyReLU(slope: 0.2)
  case .softplus: x.softplus()
  case .gelu: x.gelu()
  case .geluTanh: x.gelu(.tanh)
  case .geluQuick: x.gelu(.quick)
  case .erf: x.erf()
  case .clamp: x.clamped(-1, 1.5)
  case .magnitude: x.magnitude()
  case .log: x.log()
  case .sqrt: x.sqrt()
  default: x.power(1.7)
  }
}

func reductionGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  let x = Sample.uniform([3, 4, 2], seed: 7)
  let axes: [[Int]?] = [nil, [0], [-1], [0, 2], [1]]
  return axes.flatMap { axes -> [GradientCheck] in
    let name = "\(operation) over \(axes.map { "\($0)" } ?? "all")"
    if operation == .max { return [GradientCheck(name, [x]) { $0[0].max(axes: axes) }] }
    return [
      GradientCheck(name, [x]) { $0[0].sum(axes: axes) },
      GradientCheck("mean", [x]) { $0[0].mean(axes: axes, keepingDimensions: true) },
      GradientCheck("variance", [x]) { $0[0].variance(axes: axes, correction: 1) },
      GradientCheck("logSumExp", [x]) { $0[0].logSumExp(axes: axes) },
    ]
  }
}

func shapeGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  let x = Sample.uniform([2, 3, 4], seed: 8)
  let y = Sample.uniform([2, 2, 4], seed: 9)
  switch operation {
  case .reshape: return [GradientCheck("reshape", [x]) { $0[0].reshaped([4, -1]) }]
  case .permute:
    return [[2, 0, 1], [0, 2, 1], [1, 0, 2], [0, 1, 2]].map { order in
      GradientCheck("permute \(order)", [x]) { $0[0].permuted(order) }
    }
  case .concatenate:
    return [GradientCheck("concatenate", [x, y]) { Tensor.concatenated($0, axis: 1) }]
  case .slice:
    return [
      GradientCheck("slice", [x]) { $0[0].sliced(axis: 1, 1..<3) },
      GradientCheck("split", [x]) {
        let parts = $0[0].split(axis: -1, into: 2)
        return parts[0] * parts[1]
      },
    ]
  case .pad:
    return [GradientCheck("pad", [x]) { $0[0].padded([(1, 0), (0, 2), (1, 1)], value: 3) }]
  default:
    return [
      GradientCheck("convert", [x], step: 0.25) {
        $0[0].converted(to: .float32).converted(to: .float64)
      }
    ]
  }
}
