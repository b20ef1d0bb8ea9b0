/// One operand of a matrix product: where it lies and how it is stored.
struct MatrixOperand {
  let address: UnsafeRawPointer
  /// Distance in elements from a stored row to the next.
  let stride: Int
  /// Whether it is stored with rows and columns exchanged.
  let isTransposed: Bool
}

/// How a matrix product of one shape is cut into tiles for the threads.
///
/// The cut depends on the shape of one matrix alone, not on how many there are nor on the threads, so a sample's
/// result has the same bytes in any batch.
struct ProductTiles {
  let m: Int
  let n: Int
  let k: Int
  /// Rows and columns of a tile; those of the last may be fewer.
  let rows: Int
  let columns: Int
  /// How much of the inner dimension one tile takes: long thin products are cut there too, and added.
  let depth: Int

  /// Measured on OpenBLAS 0.3.21: blocks of 128 rows reach 95 % of the whole product's speed, 16 rows 63 %.
  static let fullRows = 128
  static let mostColumns = 384
  private static let mostDepth = 2048

  init(m: Int, n: Int, k: Int, rows: Int = Self.fullRows, cutsDepth: Bool = true) {
    (self.m, self.n, self.k, self.rows) = (m, n, k, rows)
    let strips = Swift.max(1, (n + Self.mostColumns - 1) / Self.mostColumns)
    columns = Swift.max(1, ((n + strips - 1) / strips + 15) / 16 * 16)
    let isThin =
      cutsDepth && m * n <= 4 * Self.fullRows * Self.mostColumns && k >= 2 * Self.mostDepth
    depth = isThin ? Self.mostDepth : Swift.max(1, k)
  }

  var rowBlocks: Int { (m + rows - 1) / rows }
  var columnBlocks: Int { (n + columns - 1) / columns }
  var depthBlocks: Int { Swift.max(1, (k + depth - 1) / depth) }
  /// Tiles in one layer of depth.
  var count: Int { rowBlocks * columnBlocks }

  /// How many tiles one hand-over to a thread takes, so that it is worth its while.
  var grain: Int {
    let work = Swift.min(m, rows) * Swift.min(n, columns) * Swift.min(k, depth)
    return Swift.max(1, (1 << 18) / Swift.max(1, work))
  }

  func rowRange(_ tile: Int) -> Range<Int> {
    let first = tile / columnBlocks * rows
    return first..<Swift.min(m, first + rows)
  }

  func columnRange(_ tile: Int) -> Range<Int> {
    let first = tile % columnBlocks * columns
    return first..<Swift.min(n, first + columns)
  }

  func depthRange(_ layer: Int) -> Range<Int> {
    layer * depth..<Swift.min(k, (layer + 1) * depth)
  }

  /// Computes one tile of one layer into `c`, the `[m, n]` result of that layer, or adds it to what is there.
  func compute(
    _ dtype: DType, tile: Int, layer: Int, _ a: MatrixOperand, _ b: MatrixOperand,
    adding: Bool = false, into c: UnsafeMutableRawPointer
  ) {
    let (i, j, l) = (rowRange(tile), columnRange(tile), depthRange(layer))
    let size = dtype.size
    let (aRow, aColumn) = a.isTransposed ? (1, a.stride) : (a.stride, 1)
    let (bRow, bColumn) = b.isTransposed ? (1, b.stride) : (b.stride, 1)
    BLAS.gemm(
      dtype, transposeA: a.isTransposed, transposeB: b.isTransposed,
      m: i.count, n: j.count, k: l.count,
      a: a.address + (i.lowerBound * aRow + l.lowerBound * aColumn) * size, strideA: a.stride,
      b: b.address + (l.lowerBound * bRow + j.lowerBound * bColumn) * size, strideB: b.stride,
      beta: adding ? 1 : 0, c: c + (i.lowerBound * n + j.lowerBound) * size, strideC: n)
  }
}
