extension Tensor {
  /// The lower triangular `L` with `L L^T = A`, of symmetric positive definite matrices `[..., n, n]`.
  ///
  /// Only the lower triangle is read; the gradient is that of a symmetric matrix (Murray 2016, equation 9).
  ///
  /// - Throws: ``LinearAlgebraError/notPositiveDefinite(order:matrix:)``.
  public func cholesky() throws(LinearAlgebraError) -> Tensor {
    let (order, count) = squareMatrices("cholesky")
    try requireFinite("cholesky")
    let work = duplicate()
    let (address, step, type) = (work.freshAddress, order * order * dtype.size, dtype)
    let failure = Tensor.forEachMatrix(order == 0 ? 0 : count) {
      LAPACK.potrf(type, order, address + $0 * step)
    }
    if let failure {
      throw .notPositiveDefinite(order: failure.info, matrix: failure.matrix)
    }
    let factor = work.lowerTriangle()
    return factor.recorded(as: .cholesky, from: [self]) { gradient, _ in
      [factor.choleskyGradient(gradient)]
    }
  }

  /// `L^-T P L^-1`, symmetric, where `P` is the lower triangle of `L^T G` with its diagonal halved.
  private func choleskyGradient(_ gradient: Tensor) -> Tensor {
    let n = shape[rank - 1]
    let inner = matmul(gradient.lowerTriangle(), transposeA: true)
    let half = inner.lowerTriangle() - inner * (Tensor.identity(n, dtype: dtype) * 0.5)
    let left = triangularSolution(half, lower: true, transposed: true)
    let whole = triangularSolution(left.transposed, lower: true, transposed: true)
    return (whole + whole.transposed) * 0.5
  }
}
