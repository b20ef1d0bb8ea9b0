/// Matrices `[..., rows, columns]`, each handed to LAPACK by itself, in parallel.
extension Tensor {
  /// Rows and columns of each matrix and how many there are. Ends the program where there are no two axes.
  func matrices(_ operation: String) -> (rows: Int, columns: Int, count: Int) {
    require(rank >= 2, operation, "a matrix has two axes at least, got shape \(shape)")
    return (shape[rank - 2], shape[rank - 1], shape.dropLast(2).reduce(1, *))
  }

  /// As ``matrices(_:)`` for square ones.
  func squareMatrices(_ operation: String) -> (order: Int, count: Int) {
    let (rows, columns, count) = matrices(operation)
    require(rows == columns, operation, "the matrix must be square, got shape \(shape)")
    return (rows, count)
  }

  func requireFinite(_ operation: String) throws(LinearAlgebraError) {
    if !isFinite { throw .notFinite(operation: operation) }
  }

  /// A copy that is nobody else's, to be overwritten.
  func duplicate() -> Tensor {
    let copy = Tensor(uninitialized: shape, dtype: dtype)
    copy.freshAddress.copyMemory(from: readAddress, byteCount: byteCount)
    withExtendedLifetime(self) {}
    return copy
  }

  /// Calls `body` with each matrix's index; gives the first that LAPACK refused and its `info`.
  static func forEachMatrix(
    _ count: Int, _ body: (Int) -> Int
  ) -> (matrix: Int, info: Int)? {
    var results = Array(repeating: 0, count: count)
    Backend.prepare()
    results.withUnsafeMutableBufferPointer { buffer in
      guard let results = buffer.baseAddress else { return }
      Parallel.forEach(count) { results[$0] = body($0) }
    }
    for (matrix, info) in results.enumerated() where info != 0 {
      require(info > 0, "LAPACK", "argument \(-info) of a call was refused: a fault of the engine")
      return (matrix, info)
    }
    return nil
  }

  /// The lower triangle, diagonal included; zeros above.
  func lowerTriangle() -> Tensor {
    let columns = shape[rank - 1]
    let mask = (0..<shape[rank - 2] * columns).map { $0 % columns <= $0 / columns ? 1.0 : 0 }
    return self * Tensor(mask, shape: [shape[rank - 2], columns]).converted(to: dtype)
  }

  /// Vectors as diagonals: `[..., n]` gives `[..., n, n]`.
  func diagonal() -> Tensor {
    let n = shape[rank - 1]
    return expanded(at: rank - 1) * Tensor.identity(n, dtype: dtype)
  }

  /// Ones on the diagonal of `[order, order]`, zeros elsewhere.
  public static func identity(_ order: Int, dtype: DType = .float32) -> Tensor {
    Tensor((0..<order * order).map { $0 % (order + 1) == 0 ? 1.0 : 0 }, shape: [order, order])
      .converted(to: dtype)
  }
}
