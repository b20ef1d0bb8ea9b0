import COpenBLAS

/// The one way to BLAS: each call is single-threaded and works on raw memory of a type that computes.
package enum BLAS {
  /// C = alpha op(A) op(B) + beta C, row-major: op(A) is `[m, k]`, op(B) `[k, n]`, C `[m, n]`.
  ///
  /// `transposeA` says that A is stored `[k, m]`, `transposeB` that B is stored `[n, k]`; each `stride` is the
  /// distance in elements from a stored row to the next.
  @inline(__always)
  package static func gemm(
    _ dtype: DType, transposeA: Bool = false, transposeB: Bool = false,
    m: Int, n: Int, k: Int, alpha: Double = 1,
    a: UnsafeRawPointer, strideA: Int, b: UnsafeRawPointer, strideB: Int,
    beta: Double = 0, c: UnsafeMutableRawPointer, strideC: Int
  ) {
    Backend.prepare()
    let (ta, tb) = (transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans)
    let (m, n, k) = (blasint(m), blasint(n), blasint(k))
    let (lda, ldb, ldc) = (blasint(strideA), blasint(strideB), blasint(strideC))
    if dtype == .float32 {
      cblas_sgemm(
        CblasRowMajor, ta, tb, m, n, k, Float(alpha),
        a.assumingMemoryBound(to: Float.self), lda, b.assumingMemoryBound(to: Float.self), ldb,
        Float(beta), c.assumingMemoryBound(to: Float.self), ldc)
    } else {
      cblas_dgemm(
        CblasRowMajor, ta, tb, m, n, k, alpha,
        a.assumingMemoryBound(to: Double.self), lda, b.assumingMemoryBound(to: Double.self), ldb,
        beta, c.assumingMemoryBound(to: Double.self), ldc)
    }
  }
}
