import TensorCore
import TestSupport
import Testing

/// A symmetric positive definite matrix that depends smoothly on `x`, `[..., n, n]`.
private func positive(_ x: Tensor) -> Tensor {
  x.matmul(x, transposeB: true) + Tensor.identity(x.shape[x.rank - 1], dtype: x.dtype)
}

/// The result, or a failed expectation and zeros where an operation throws.
private func expected(_ body: () throws -> Tensor) -> Tensor {
  do {
    return try body()
  } catch {
    Issue.record("\(error)")
    return .zeros([1], dtype: .float64)
  }
}

func linearAlgebraGradientChecks(_ operation: DifferentiableOperation) -> [GradientCheck] {
  let x = Sample.uniform([2, 3, 3], seed: 101)
  let b = Sample.uniform([2, 3, 2], seed: 102)
  let shared = Sample.uniform([3, 2], seed: 103)
  let regular = x + 2 * Tensor.identity(3, dtype: .float64)
  switch operation {
  case .cholesky:
    return [GradientCheck("cholesky", [x]) { x in expected { try positive(x[0]).cholesky() } }]
  case .solve:
    return [
      GradientCheck("solve", [regular, b]) { x in expected { try x[0].solve(x[1]) } },
      GradientCheck("solve, shared", [regular, shared]) { x in expected { try x[0].solve(x[1]) } },
    ]
  case .triangularSolve:
    return [(true, false), (true, true), (false, false), (false, true)].map { lower, transposed in
      GradientCheck("triangularSolve \(lower) \(transposed)", [regular, b]) { x in
        expected { try x[0].triangularSolve(x[1], lower: lower, transposed: transposed) }
      }
    }
  case .symmetricEigen:
    return [
      // Vectors are known up to their sign: their squares are looked at.
      GradientCheck("symmetricEigen", [x]) { x in
        expected {
          let (values, vectors) = try positive(x[0]).symmetricEigen()
          return Tensor.concatenated([values.expanded(at: 1), vectors * vectors], axis: 1)
        }
      }
    ]
  default:
    return [GradientCheck("innerProducts", [x, x * 2]) { $0[0].innerProducts($0[1]) }]
  }
}
