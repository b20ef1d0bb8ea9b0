import CLAPACKE

/// The answer to a least-squares problem.
public struct LeastSquares: Sendable {
  /// Of all `X` with the smallest `|A X - B|` the one of least norm: `[..., n, k]`.
  public let solution: Tensor
  /// The rank of each matrix, judged by the tolerance.
  public let ranks: [Int]
  /// The singular values of each matrix, falling: `[..., min(m, n)]`.
  public let singularValues: Tensor
}

extension Tensor {
  /// Minimises `|A X - B|` by singular values, for matrices `A` `[..., m, n]` of any rank. Not differentiable.
  ///
  /// - Parameters:
  ///   - rightSide: `[..., m, k]`, leading axes as those of `A`.
  ///   - tolerance: singular values below this share of the largest count as zero; by default the number type's
  ///     precision.
  /// - Throws: ``LinearAlgebraError/didNotConverge(operation:elements:matrix:)``.
  public func leastSquares(
    _ rightSide: Tensor, tolerance: Double? = nil
  ) throws(LinearAlgebraError) -> LeastSquares {
    let (rows, columns, count) = matrices("leastSquares")
    require(
      rightSide.rank == rank && rightSide.shape.dropLast() == shape.dropLast()
        && rightSide.dtype == dtype, "leastSquares",
      "the matrix is \(dtype) \(shape) and the right side \(rightSide.dtype) \(rightSide.shape): "
        + "expected [..., m, n] and [..., m, k] of one type")
    try requireFinite("leastSquares")
    try rightSide.requireFinite("leastSquares")
    let (work, width, least) = (duplicate(), rightSide.shape[rank - 1], Swift.min(rows, columns))
    // LAPACK wants room for the solution where it is longer than the right side.
    let longer = Swift.max(rows, columns)
    let sides = rightSide.detached.padded(axis: -2, before: 0, after: longer - rows).duplicate()
    let values = Tensor(uninitialized: shape.dropLast(2) + [least], dtype: dtype)
    var ranks = [LAPACKInteger](repeating: 0, count: count)
    let (type, size) = (dtype, dtype.size)
    let failure = ranks.withUnsafeMutableBufferPointer { buffer -> (matrix: Int, info: Int)? in
      guard let ranks = buffer.baseAddress, least * width > 0 else { return nil }
      return Tensor.forEachMatrix(count) {
        LAPACK.gelsd(
          type, rows, columns, width, work.freshAddress + $0 * rows * columns * size,
          sides.freshAddress + $0 * longer * width * size,
          values.freshAddress + $0 * least * size, tolerance: tolerance ?? -1, ranks + $0)
      }
    }
    if let failure {
      throw .didNotConverge(
        operation: "leastSquares", elements: failure.info, matrix: failure.matrix)
    }
    withExtendedLifetime((work, sides)) {}
    return LeastSquares(
      solution: sides.sliced(axis: -2, 0..<columns), ranks: ranks.map(Int.init),
      singularValues: values)
  }
}
