import CLAPACKE

extension Tensor {
  /// `X` with `A X = B`, by LU with row exchanges.
  ///
  /// - Parameter rightSide: `[..., n, k]`, or a vector `[n]`; leading axes broadcast with those of `A`,
  ///   `[..., n, n]`.
  /// - Throws: ``LinearAlgebraError/singular(pivot:matrix:)``.
  public func solve(_ rightSide: Tensor) throws(LinearAlgebraError) -> Tensor {
    let (order, _) = squareMatrices("solve")
    if rightSide.rank == 1 {
      let columns = try solve(rightSide.expanded(at: -1))
      return columns.reshaped(Array(columns.shape.dropLast()))
    }
    let (left, right) = aligned(with: rightSide, "solve")
    let (a, b) = (left.detached, right.detached)
    try a.requireFinite("solve")
    try b.requireFinite("solve")
    let factors = try Factors(a, order: order)
    let x = factors.solve(b, transposed: false)
    return x.recorded(as: .solve, from: [left, right]) { gradient, needed in
      let db = factors.solve(gradient, transposed: true)
      return [needed[0] ? -db.matmul(x, transposeB: true) : nil, needed[1] ? db : nil]
    }
  }

  /// `X` with `T X = B` or `T^T X = B`, where `T` is a triangle of these matrices `[..., n, n]`.
  ///
  /// - Parameters:
  ///   - rightSide: `[..., n, k]`; leading axes broadcast with those of `T`.
  ///   - lower: whether the lower triangle is meant; the other one is not read.
  ///   - transposed: whether to solve with the transpose.
  /// - Throws: ``LinearAlgebraError/singular(pivot:matrix:)`` where a diagonal element is zero.
  public func triangularSolve(
    _ rightSide: Tensor, lower: Bool = true, transposed: Bool = false
  ) throws(LinearAlgebraError) -> Tensor {
    _ = squareMatrices("triangularSolve")
    let (left, right) = aligned(with: rightSide, "triangularSolve")
    let (a, b) = (left.detached, right.detached)
    try a.requireFinite("triangularSolve")
    try b.requireFinite("triangularSolve")
    if let zero = a.firstZeroOnDiagonal() {
      throw .singular(pivot: zero.row, matrix: zero.matrix)
    }
    let x = a.triangularSolution(b, lower: lower, transposed: transposed)
    return x.recorded(as: .triangularSolve, from: [left, right]) { gradient, needed in
      let db = a.triangularSolution(gradient, lower: lower, transposed: !transposed)
      guard needed[0] else { return [nil, db] }
      let whole =
        transposed ? -x.matmul(db, transposeB: true) : -db.matmul(x, transposeB: true)
      let half = lower ? whole.lowerTriangle() : whole.transposed.lowerTriangle().transposed
      return [half, needed[1] ? db : nil]
    }
  }

  /// This and `rightSide` with their leading axes broadcast to one another.
  private func aligned(with rightSide: Tensor, _ operation: String) -> (Tensor, Tensor) {
    let (matrix, columns) = (Array(shape.suffix(2)), Array(rightSide.shape.suffix(2)))
    require(
      rightSide.rank >= 2 && columns[0] == matrix[1] && dtype == rightSide.dtype, operation,
      "the matrix is \(dtype) \(shape) and the right side \(rightSide.dtype) \(rightSide.shape): "
        + "expected [..., n, n] and [..., n, k] of one type")
    guard let batch = Broadcast([Array(shape.dropLast(2)), Array(rightSide.shape.dropLast(2))])
    else {
      misuse(operation, "leading axes of \(shape) and \(rightSide.shape) do not broadcast")
    }
    return (
      broadcasted(to: batch.shape + matrix), rightSide.broadcasted(to: batch.shape + columns)
    )
  }

  private func firstZeroOnDiagonal() -> (matrix: Int, row: Int)? {
    let (order, count) = squareMatrices("triangularSolve")
    let values = doubles
    for matrix in 0..<count {
      for row in 0..<order where values[(matrix * order + row) * order + row] == 0 {
        return (matrix, row)
      }
    }
    return nil
  }

  /// The solution where the diagonal is known to have no zeros and the leading axes to agree.
  func triangularSolution(_ rightSide: Tensor, lower: Bool, transposed: Bool) -> Tensor {
    let (order, count) = squareMatrices("triangularSolve")
    let columns = rightSide.shape[rightSide.rank - 1]
    let x = rightSide.duplicate()
    let (a, address, type, size) = (readAddress, x.freshAddress, dtype, dtype.size)
    _ = Tensor.forEachMatrix(x.count == 0 ? 0 : count) {
      LAPACK.trtrs(
        type, lower: lower, transposed: transposed, order, columns,
        a + $0 * order * order * size, address + $0 * order * columns * size)
    }
    withExtendedLifetime(self) {}
    return x
  }
}

/// LU factors of matrices, to solve with again.
private struct Factors: Sendable {
  private let factors: Tensor
  private let order: Int
  private let count: Int
  private let pivots: [LAPACKInteger]

  init(_ matrices: Tensor, order: Int) throws(LinearAlgebraError) {
    let factors = matrices.duplicate()
    let count = matrices.shape.dropLast(2).reduce(1, *)
    var pivots = [LAPACKInteger](repeating: 0, count: count * order)
    let (address, step, type) = (
      factors.freshAddress, order * order * matrices.dtype.size, matrices.dtype
    )
    let failure = pivots.withUnsafeMutableBufferPointer { buffer -> (matrix: Int, info: Int)? in
      guard let pivots = buffer.baseAddress, order > 0 else { return nil }
      return Tensor.forEachMatrix(count) {
        LAPACK.getrf(type, order, address + $0 * step, pivots + $0 * order)
      }
    }
    if let failure { throw .singular(pivot: failure.info - 1, matrix: failure.matrix) }
    (self.factors, self.order, self.count, self.pivots) = (factors, order, count, pivots)
  }

  func solve(_ rightSide: Tensor, transposed: Bool) -> Tensor {
    let x = rightSide.duplicate()
    let columns = x.shape[x.rank - 1]
    if x.count == 0 { return x }
    let (address, size, type) = (x.freshAddress, x.dtype.size, x.dtype)
    pivots.withUnsafeBufferPointer { buffer in
      guard let pivots = buffer.baseAddress else { return }
      _ = Tensor.forEachMatrix(count) {
        LAPACK.getrs(
          type, transposed: transposed, order, columns,
          factors.readAddress + $0 * order * order * size, pivots + $0 * order,
          address + $0 * order * columns * size)
      }
    }
    withExtendedLifetime(factors) {}
    return x
  }
}
