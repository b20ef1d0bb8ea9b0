/// What LAPACK found a matrix to be unfit for. `matrix` counts the matrices of a batch from 0.
public enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
  /// The leading minor of this order is not positive.
  case notPositiveDefinite(order: Int, matrix: Int)
  /// So many off-diagonal elements did not become zero within LAPACK's number of rounds.
  case didNotConverge(operation: String, elements: Int, matrix: Int)
  /// The pivot in this row (from 0) is exactly zero.
  case singular(pivot: Int, matrix: Int)
  /// An element is infinite or not a number.
  case notFinite(operation: String)

  /// What happened and what to do, in one line.
  public var description: String {
    switch self {
    case .notPositiveDefinite(let order, let matrix):
      "cholesky: matrix \(matrix) is not positive definite, its leading minor of order \(order) is "
        + "not positive; add a multiple of the identity"
    case .didNotConverge(let operation, let elements, let matrix):
      "\(operation): matrix \(matrix) did not converge, \(elements) off-diagonal elements are left; "
        + "scale it or compute in float64"
    case .singular(let pivot, let matrix):
      "solve: matrix \(matrix) is singular, the pivot in row \(pivot) is zero; use leastSquares"
    case .notFinite(let operation):
      "\(operation): an element is infinite or not a number; expected finite matrices"
    }
  }
}
