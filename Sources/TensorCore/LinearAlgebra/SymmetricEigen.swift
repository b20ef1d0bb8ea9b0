extension Tensor {
  /// Eigenvalues, rising, `[..., n]`, and eigenvectors as columns, `[..., n, n]`, of symmetric matrices:
  /// `A V = V diag(values)`.
  ///
  /// Only the lower triangle is read. The gradient is that of a symmetric matrix with distinct eigenvalues; it is
  /// infinite where two of them are equal and their vectors are used.
  ///
  /// - Throws: ``LinearAlgebraError/didNotConverge(operation:elements:matrix:)``.
  public func symmetricEigen() throws(LinearAlgebraError) -> (values: Tensor, vectors: Tensor) {
    let (order, count) = squareMatrices("symmetricEigen")
    try requireFinite("symmetricEigen")
    let vectors = duplicate()
    let values = Tensor(uninitialized: Array(shape.dropLast()), dtype: dtype)
    let (type, size) = (dtype, dtype.size)
    let failure = Tensor.forEachMatrix(order == 0 ? 0 : count) {
      LAPACK.syevd(
        type, order, vectors.freshAddress + $0 * order * order * size,
        values.freshAddress + $0 * order * size)
    }
    if let failure {
      throw .didNotConverge(
        operation: "symmetricEigen", elements: failure.info, matrix: failure.matrix)
    }
    // One recorded result of n + 1 rows: the values, then the vectors.
    let packed = Tensor.concatenated([values.expanded(at: rank - 2), vectors], axis: -2)
      .recorded(as: .symmetricEigen, from: [self]) { gradient, _ in
        [
          vectors.eigenGradient(
            values, gradient.sliced(axis: -2, 0..<1), gradient.sliced(axis: -2, 1..<order + 1))
        ]
      }
    return (
      packed.sliced(axis: -2, 0..<1).reshaped(values.shape),
      packed.sliced(axis: -2, 1..<order + 1)
    )
  }

  /// `V (diag(dw) + F (V^T dV)) V^T`, symmetric, with `F[i, j] = 1 / (w[j] - w[i])` off the diagonal.
  private func eigenGradient(_ values: Tensor, _ dw: Tensor, _ dv: Tensor) -> Tensor {
    let identity = Tensor.identity(shape[rank - 1], dtype: dtype)
    let distances = values.expanded(at: rank - 2) - values.expanded(at: rank - 1)
    let inverse = (1 - identity) / (distances + identity)
    let inner = identity * dw + inverse * matmul(dv, transposeA: true)
    let whole = matmul(inner).matmul(self, transposeB: true)
    return (whole + whole.transposed) * 0.5
  }
}
