extension Tensor {
  /// The thin singular value decomposition `A = U diag(values) V^T` of matrices `[..., m, n]`: with `k = min(m, n)`,
  /// `U` `[..., m, k]`, values `[..., k]`, falling, and `V^T` `[..., k, n]`.
  ///
  /// Not differentiable: the results are not recorded.
  ///
  /// - Throws: ``LinearAlgebraError/didNotConverge(operation:elements:matrix:)``.
  public func singularValues() throws(LinearAlgebraError) -> (
    u: Tensor, values: Tensor, vTransposed: Tensor
  ) {
    let (rows, columns, count) = matrices("singularValues")
    try requireFinite("singularValues")
    let (least, batch) = (Swift.min(rows, columns), Array(shape.dropLast(2)))
    let work = duplicate()
    let u = Tensor(uninitialized: batch + [rows, least], dtype: dtype)
    let values = Tensor(uninitialized: batch + [least], dtype: dtype)
    let v = Tensor(uninitialized: batch + [least, columns], dtype: dtype)
    let (type, size) = (dtype, dtype.size)
    let failure = Tensor.forEachMatrix(least == 0 ? 0 : count) {
      LAPACK.gesdd(
        type, rows, columns, work.freshAddress + $0 * rows * columns * size,
        values.freshAddress + $0 * least * size, u.freshAddress + $0 * rows * least * size,
        v.freshAddress + $0 * least * columns * size)
    }
    if let failure {
      throw .didNotConverge(
        operation: "singularValues", elements: failure.info, matrix: failure.matrix)
    }
    withExtendedLifetime(work) {}
    return (u, values, v)
  }
}
