import CTensorKernels

/// One operand of a matrix product: where it lies and how it is stored.
struct MatrixOperand {
  let address: UnsafeRawPointer
  /// Distance in elements from a stored row to the next.
  let stride: Int
  /// Whether it is stored with rows and columns exchanged.
  let isTransposed: Bool
  /// What its elements are; of weights, a type that only stores is widened on the way.
  let dtype: DType

  /// Distances in elements from a row to the next and from a column to the next.
  var strides: (row: Int, column: Int) { isTransposed ? (1, stride) : (stride, 1) }
}

/// How matrix products of one shape are cut into tiles for the threads.
///
/// The engine's kernel gives an element the same bytes in any tile (see `gemm.inc`), so tiles may hold rows of several
/// samples, and their number may depend on how many products and threads there are. Only the cut of the inner dimension counts:
/// it depends on the shape of one matrix alone.
struct ProductTiles {
  let m: Int
  let n: Int
  let k: Int
  /// Rows and columns of a tile; those of the last may be fewer.
  let rows: Int
  let columns: Int
  /// How much of the inner dimension one tile takes: long thin products are cut there too, and added.
  let depth: Int
  /// Whether tiles are computed in bfloat16.
  let inBFloat16: Bool

  /// Packing takes its share of a tile's time: one part in `rows / 5` for the right operand, in `columns / 5` for the left.
  private static let mostRows = 512
  private static let mostColumns = 384
  /// Tiles a thread, so that one that is held up is helped, and multiply-adds that a tile is worth.
  private static let tilesOfThread = 2
  private static let leastWork = 1 << 20
  private static let mostDepth = 2048

  /// - Parameter matrices: how many products of this shape run side by side.
  init(
    m: Int, n: Int, k: Int, matrices: Int = 1, cutsDepth: Bool = true, inBFloat16: Bool = false
  ) {
    self.inBFloat16 = inBFloat16
    (self.m, self.n, self.k) = (m, n, k)
    let isThin = cutsDepth && m * n <= 1 << 16 && k >= 2 * Self.mostDepth
    depth = isThin ? Self.mostDepth : Swift.max(1, k)
    let layers = (k + depth - 1) / depth
    // The eight rows stand for the packing.
    let worth = (m + 8) * n * depth / Self.leastWork
    let wanted = Swift.min(
      worth, Self.tilesOfThread * Backend.threads / (matrices * layers))
    var strips = Swift.max(1, (n + Self.mostColumns - 1) / Self.mostColumns)
    var blocks = Swift.max(1, (m + Self.mostRows - 1) / Self.mostRows)
    while strips * blocks < wanted {
      if n * blocks > m * strips { strips += 1 } else { blocks += 1 }
    }
    columns = Self.length(n, strips, multiple: 32)
    rows = Self.length(m, blocks, multiple: 12)
  }

  private static func length(_ whole: Int, _ parts: Int, multiple: Int) -> Int {
    Swift.max(1, ((whole + parts - 1) / parts + multiple - 1) / multiple * multiple)
  }

  var columnBlocks: Int { (n + columns - 1) / columns }
  var depthBlocks: Int { Swift.max(1, (k + depth - 1) / depth) }
  /// Tiles in one layer of depth.
  var count: Int { (m + rows - 1) / rows * columnBlocks }

  /// How many tiles one hand-over to a thread takes, so that it is worth its while.
  var grain: Int {
    let work = Swift.min(m, rows) * Swift.min(n, columns) * Swift.min(k, depth)
    return Swift.max(1, (1 << 18) / Swift.max(1, work))
  }

  /// Bytes that computing a tile needs beside the operands.
  func scratchBytes(_ dtype: DType) -> Int {
    Backend.prepare()
    var elements = 0
    if inBFloat16 {
      elements = tk_bfloat_tile_scratch(Swift.min(n, columns), k)
    } else {
      tk_gemm_tile_scratch(
        dtype.kernelType, Swift.min(n, columns), Swift.min(k, depth), &elements)
    }
    return elements * dtype.size
  }

  /// Whether a product with weights `b` of `depth` rows is computed in bfloat16: neighbours along the depth go in pairs.
  /// Weights in blocks are no more exact than that, and are rounded.
  static func multipliesInBFloat16(_ dtype: DType, _ b: MatrixOperand, depth: Int) -> Bool {
    let isRounded = b.dtype == .bfloat16 || b.dtype == .q8_0
    return Backend.products == .bfloat16 && dtype == .float32 && isRounded
      && depth.isMultiple(of: 2) && Backend.hasBFloat16
  }

  /// Computes `c = a b (+ bias)`, `[m, n]`, on all threads, with the inner dimension in one piece.
  static func multiply(
    _ dtype: DType, m: Int, n: Int, k: Int, _ a: MatrixOperand, _ b: MatrixOperand,
    bias: UnsafeRawPointer?, into c: UnsafeMutableRawPointer
  ) {
    let tiles = ProductTiles(
      m: m, n: n, k: k, cutsDepth: false,
      inBFloat16: multipliesInBFloat16(dtype, b, depth: k))
    let scratchBytes = tiles.scratchBytes(dtype)
    Parallel.forEach(tiles.count) { tile in
      StoragePool.shared.withScratch(scratchBytes) { scratch in
        tiles.compute(dtype, tile: tile, layer: 0, a, b, bias: bias, into: c, scratch: scratch)
      }
    }
  }

  /// Computes one tile of one layer into `c`, the `[m, n]` result of that layer, with `bias` `[n]` in every row.
  func compute(
    _ dtype: DType, tile: Int, layer: Int, _ a: MatrixOperand, _ b: MatrixOperand,
    bias: UnsafeRawPointer? = nil, into c: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
  ) {
    let (i, j, l) = (tile / columnBlocks * rows, tile % columnBlocks * columns, layer * depth)
    let (size, x, y) = (dtype.size, a.strides, b.strides)
    let right = b.address + b.dtype.byteCount(of: l * y.row + j * y.column)
    if inBFloat16 {
      tk_bfloat_tile(
        Swift.min(rows, m - i), Swift.min(columns, n - j), k,
        (a.address + i * x.row * size).assumingMemoryBound(to: Float.self), x.row,
        b.dtype.stored, right, y.row, y.column,
        bias.map { ($0 + j * size).assumingMemoryBound(to: Float.self) },
        (c + (i * n + j) * size).assumingMemoryBound(to: Float.self), n,
        scratch.assumingMemoryBound(to: Float.self))
      return
    }
    tk_gemm_tile(
      dtype.kernelType, Swift.min(rows, m - i), Swift.min(columns, n - j), Swift.min(depth, k - l),
      a.address + (i * x.row + l * x.column) * size, x.row, x.column,
      b.dtype.stored, right, y.row, y.column,
      bias.map { $0 + j * size }, c + (i * n + j) * size, n, scratch)
  }
}
