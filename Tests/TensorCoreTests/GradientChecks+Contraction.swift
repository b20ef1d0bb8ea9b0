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
  default:
    return matrixProductChecks()
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
