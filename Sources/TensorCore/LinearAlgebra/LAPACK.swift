import CLAPACKE

/// The integers of LAPACK's C interface, which names them by a macro.
typealias LAPACKInteger = Int32

/// The calls of LAPACK that the engine makes, row-major and for either type that computes. Each gives LAPACK's
/// `info`: 0, or above 0 what the routine's own page says.
enum LAPACK {
  typealias Address = UnsafeMutableRawPointer
  private static let rows = LAPACK_ROW_MAJOR
  private static let lower = CChar(UInt8(ascii: "L"))

  private static func float(_ address: Address) -> UnsafeMutablePointer<Float> {
    address.assumingMemoryBound(to: Float.self)
  }

  private static func double(_ address: Address) -> UnsafeMutablePointer<Double> {
    address.assumingMemoryBound(to: Double.self)
  }

  private static func letter(_ character: Character) -> CChar {
    CChar(character.asciiValue ?? 0)
  }

  /// Cholesky: the lower triangle of `a` becomes the factor.
  static func potrf(_ type: DType, _ n: Int, _ a: Address) -> Int {
    let size = LAPACKInteger(n)
    return Int(
      type == .float32
        ? LAPACKE_spotrf(rows, lower, size, float(a), size)
        : LAPACKE_dpotrf(rows, lower, size, double(a), size))
  }

  /// Eigenvalues, rising, and eigenvectors (as columns, in `a`) of a symmetric matrix, by divide and conquer.
  static func syevd(_ type: DType, _ n: Int, _ a: Address, _ values: Address) -> Int {
    let (size, vectors) = (LAPACKInteger(n), letter("V"))
    return Int(
      type == .float32
        ? LAPACKE_ssyevd(rows, vectors, lower, size, float(a), size, float(values))
        : LAPACKE_dsyevd(rows, vectors, lower, size, double(a), size, double(values)))
  }

  /// The thin singular value decomposition; `a` is overwritten.
  static func gesdd(
    _ type: DType, _ m: Int, _ n: Int, _ a: Address, _ values: Address, _ u: Address,
    _ vTransposed: Address
  ) -> Int {
    let (thin, least) = (letter("S"), LAPACKInteger(min(m, n)))
    let (m, n) = (LAPACKInteger(m), LAPACKInteger(n))
    return Int(
      type == .float32
        ? LAPACKE_sgesdd(
          rows, thin, m, n, float(a), n, float(values), float(u), least, float(vTransposed), n)
        : LAPACKE_dgesdd(
          rows, thin, m, n, double(a), n, double(values), double(u), least, double(vTransposed), n))
  }

  /// The factors L and U, in `a`, and the row exchanges.
  static func getrf(
    _ type: DType, _ n: Int, _ a: Address, _ pivots: UnsafeMutablePointer<LAPACKInteger>
  ) -> Int {
    let size = LAPACKInteger(n)
    return Int(
      type == .float32
        ? LAPACKE_sgetrf(rows, size, size, float(a), size, pivots)
        : LAPACKE_dgetrf(rows, size, size, double(a), size, pivots))
  }

  /// Solves with the factors of `getrf`, or with their transpose; `b` becomes the solution.
  static func getrs(
    _ type: DType, transposed: Bool, _ n: Int, _ columns: Int, _ a: UnsafeRawPointer,
    _ pivots: UnsafePointer<LAPACKInteger>, _ b: Address
  ) -> Int {
    let (form, size, columns) = (
      letter(transposed ? "T" : "N"), LAPACKInteger(n), LAPACKInteger(columns)
    )
    return Int(
      type == .float32
        ? LAPACKE_sgetrs(
          rows, form, size, columns, a.assumingMemoryBound(to: Float.self), size, pivots, float(b),
          columns)
        : LAPACKE_dgetrs(
          rows, form, size, columns, a.assumingMemoryBound(to: Double.self), size, pivots,
          double(b), columns))
  }

  /// Solves with a triangle of `a`; `b` becomes the solution.
  static func trtrs(
    _ type: DType, lower isLower: Bool, transposed: Bool, _ n: Int, _ columns: Int,
    _ a: UnsafeRawPointer, _ b: Address
  ) -> Int {
    let (half, form) = (letter(isLower ? "L" : "U"), letter(transposed ? "T" : "N"))
    let (size, columns, diagonal) = (LAPACKInteger(n), LAPACKInteger(columns), letter("N"))
    return Int(
      type == .float32
        ? LAPACKE_strtrs(
          rows, half, form, diagonal, size, columns, a.assumingMemoryBound(to: Float.self), size,
          float(b), columns)
        : LAPACKE_dtrtrs(
          rows, half, form, diagonal, size, columns, a.assumingMemoryBound(to: Double.self), size,
          double(b), columns))
  }

  /// Least squares of least norm by singular values; `b`, `[max(m, n), columns]`, begins with the solution.
  static func gelsd(
    _ type: DType, _ m: Int, _ n: Int, _ columns: Int, _ a: Address, _ b: Address,
    _ values: Address, tolerance: Double, _ rank: UnsafeMutablePointer<LAPACKInteger>
  ) -> Int {
    let (m, n, columns) = (LAPACKInteger(m), LAPACKInteger(n), LAPACKInteger(columns))
    return Int(
      type == .float32
        ? LAPACKE_sgelsd(
          rows, m, n, columns, float(a), n, float(b), columns, float(values), Float(tolerance), rank
        )
        : LAPACKE_dgelsd(
          rows, m, n, columns, double(a), n, double(b), columns, double(values), tolerance, rank))
  }
}
