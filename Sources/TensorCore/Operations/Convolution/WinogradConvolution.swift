import CTensorKernels

/// 3x3 convolution of stride 1 by Winograd's minimal filtering (Lavin and Gray 2016, arXiv:1509.09308):
/// tiles and weights are transformed, multiplied position by position as matrices, and transformed back.
///
/// Tiles are counted over all samples. A tile's numbers do not depend on which tiles are computed with it (see
/// ``PanelProduct``), so both ways to cut the work below give the same bytes.
struct WinogradConvolution {
  /// Pixels a side of an output tile: 4 or 2.
  let tile: Int
  let geometry: ConvolutionGeometry

  init(_ route: ConvolutionRoute, _ geometry: ConvolutionGeometry) {
    tile = route == .winograd2 ? 2 : 4
    self.geometry = geometry
  }

  /// Products a tile: one for every position of the transformed tile.
  var positions: Int { (tile + 2) * (tile + 2) }

  var tiles: Int {
    let window = geometry.window
    return geometry.batch * ((window.out_height + tile - 1) / tile)
      * ((window.out_width + tile - 1) / tile)
  }

  /// The distance from a position's matrix of `count` elements to the next: a few more than it holds, because positions
  /// a multiple of 4 KiB apart would all fall into one set of the first-level cache (twice the time, measured).
  static func step(_ count: Int) -> Int { count + 16 }

  func positionMatrices(of count: Int, _ dtype: DType) -> Tensor {
    Tensor(uninitialized: [positions, Self.step(count)], dtype: dtype)
  }

  /// y = x * w + bias.
  func forward(_ x: Tensor, _ weights: Tensor, _ bias: Tensor?) -> Tensor {
    let y = Tensor(uninitialized: geometry.outputShape, dtype: x.dtype)
    if goesByColumns(x.dtype) {
      forwardByColumns(x, weights, bias, into: y)
    } else {
      forwardByTiles(x, weights, bias, into: y)
    }
    withExtendedLifetime((x, weights, bias)) {}
    return y
  }

  /// Whether tiles are so few, and weights so many, that blocks of columns are the better cut.
  private func goesByColumns(_ dtype: DType) -> Bool {
    let weightBytes = positions * geometry.window.channels * geometry.outChannels * dtype.size
    return tiles <= Self.fewTiles && weightBytes >= Self.muchWeight
  }

  /// Elements that all threads' transformed tiles and weights take together, of float32.
  var scratchElements: Int {
    let (channels, out) = (geometry.window.channels, geometry.outChannels)
    if goesByColumns(.float32) {
      let block = max(32, PanelProduct.width(.float32))
      let ofThread = block * (channelBlocks[0].count + tiles)
      return positions * (tiles * channels + Backend.threads * ofThread)
    }
    let rows = min(tiles, Self.tileBlock)
    let ofThread = rows * (channels + min(out, Self.columnBlock))
    return positions
      * (PanelProduct.padded(out, .float32) * channels + Backend.threads * ofThread)
  }

  /// Up to so many tiles, all of them stay in the third-level cache while the weights pass by.
  private static let fewTiles = 512
  /// From so many bytes on, transformed weights had better not be written to memory.
  private static let muchWeight = 8 << 20

  /// B^T x B of the tiles in `range`, to `v`'s rows from `offset` on.
  func transformInput(
    _ x: Tensor, _ range: Range<Int>, into v: Tensor, rows: Int, offset: Int = 0
  ) {
    var window = geometry.window
    let transform = tile == 4 ? tk_winograd4_input : tk_winograd2_input
    transform(
      x.dtype.kernelType, &window, range.lowerBound, range.count, x.readAddress,
      v.freshAddress + offset * window.channels * x.dtype.size, Self.step(rows * window.channels))
  }

  /// G w G^T of input channels `rows` and output channels `columns`, to `u` as `[position, panel, in, width]` from row
  /// `offset` of panels of `panel` rows on.
  func transformWeights(
    _ weights: Tensor, rows: Range<Int>, columns: Range<Int>, into u: Tensor, step: Int,
    offset: Int, panel: Int
  ) {
    let width = PanelProduct.width(u.dtype)
    let transform = tile == 4 ? tk_winograd4_weights : tk_winograd2_weights
    transform(
      u.dtype.kernelType, geometry.window.channels, geometry.outChannels, columns.lowerBound,
      columns.count, rows.lowerBound, rows.count, weights.dtype.stored, weights.readAddress,
      u.freshAddress + offset * width * u.dtype.size, step, panel * width)
  }
}

// MARK: - Many tiles

extension WinogradConvolution {
  /// Tiles a block: more spread the reading of the weights, fewer keep the block in the cache.
  private static let tileBlock = 48
  /// Output channels taken at once, so that a block's products stay in the second-level cache.
  private static let columnBlock = 128

  /// All weights first, then blocks of tiles.
  private func forwardByTiles(_ x: Tensor, _ weights: Tensor, _ bias: Tensor?, into y: Tensor) {
    let (channels, out, dtype) = (geometry.window.channels, geometry.outChannels, x.dtype)
    let (elements, width) = (
      PanelProduct.padded(out, dtype) * channels, PanelProduct.width(dtype)
    )
    let u = positionMatrices(of: elements, dtype)
    Parallel.ranges(channels, grain: 16) { rows in
      transformWeights(
        weights, rows: rows, columns: 0..<out, into: u, step: Self.step(elements),
        offset: rows.lowerBound, panel: channels)
    }
    Parallel.ranges(tiles, grain: Self.tileBlock) { range in
      let v = positionMatrices(of: range.count * channels, dtype)
      transformInput(x, range, into: v, rows: range.count)
      let most = min(out, Self.columnBlock)
      let m = positionMatrices(of: range.count * most, dtype)
      for first in stride(from: 0, to: out, by: most) {
        let columns = first..<min(out, first + most)
        for block in channelBlocks {
          multiply(
            v, block, u.readAddress + (first * channels + block.lowerBound * width) * dtype.size,
            panel: channels, uStep: Self.step(elements), rows: range.count,
            columns: columns.count, into: m, stride: most)
        }
        transformOutput(m, range, columns, stride: most, bias, into: y)
      }
    }
    withExtendedLifetime(u) {}
  }

  /// The input channels in blocks, whose products are added in order: a position's panel of weights stays in the
  /// first-level cache, all positions' in the second. Both ways to cut the work have the same blocks, and so the same
  /// bytes.
  private var channelBlocks: [Range<Int>] {
    let channels = geometry.window.channels
    let count = Swift.max(1, (channels + Self.mostChannels - 1) / Self.mostChannels)
    let length = (channels + count - 1) / count
    return stride(from: 0, to: channels, by: Swift.max(1, length)).map {
      $0..<Swift.min(channels, $0 + length)
    }
  }

  private static let mostChannels = 320

  /// The product of every position over a block of input channels: `v` `[rows, in]` by panels of `u`, `panel` rows
  /// long, to `m` `[rows, stride]`, added to what the blocks before gave.
  private func multiply(
    _ v: Tensor, _ block: Range<Int>, _ u: UnsafeRawPointer, panel: Int, uStep: Int, rows: Int,
    columns: Int, into m: Tensor, stride: Int
  ) {
    let (channels, size) = (geometry.window.channels, v.dtype.size)
    let (type, width) = (v.dtype.kernelType, PanelProduct.width(v.dtype))
    for position in 0..<positions {
      tk_gemm(
        type, rows, columns, block.count,
        v.readAddress + (position * Self.step(rows * channels) + block.lowerBound) * size,
        channels, 1, u + position * uStep * size, width, panel * width, nil,
        m.freshAddress + position * Self.step(rows * stride) * size, stride,
        block.lowerBound == 0 ? 0 : 1)
    }
    withExtendedLifetime((v, m)) {}
  }

  /// A^T m A of the tiles in `range`, plus the bias, to output channels `columns`.
  private func transformOutput(
    _ m: Tensor, _ range: Range<Int>, _ columns: Range<Int>, stride: Int, _ bias: Tensor?,
    into y: Tensor
  ) {
    var window = geometry.window
    let untransform = tile == 4 ? tk_winograd4_output : tk_winograd2_output
    untransform(
      m.dtype.kernelType, &window, range.lowerBound, range.count, m.readAddress, stride,
      Self.step(range.count * stride), columns.lowerBound, columns.count, geometry.outChannels,
      bias?.readAddress, y.freshAddress)
    withExtendedLifetime(m) {}
  }
}

// MARK: - Few tiles, many channels

extension WinogradConvolution {
  /// All tiles first, then blocks of output channels, whose weights are transformed on the fly and never leave the cache.
  private func forwardByColumns(_ x: Tensor, _ weights: Tensor, _ bias: Tensor?, into y: Tensor) {
    let (channels, out, dtype, tiles) = (
      geometry.window.channels, geometry.outChannels, x.dtype, tiles
    )
    let v = positionMatrices(of: tiles * channels, dtype)
    Parallel.ranges(tiles, grain: 16) { range in
      transformInput(x, range, into: v, rows: tiles, offset: range.lowerBound)
    }
    let block = max(32, PanelProduct.width(dtype))
    let blocks = channelBlocks
    let length = blocks[0].count
    Parallel.ranges(out, grain: block) { columns in
      let u = positionMatrices(of: block * length, dtype)
      let m = positionMatrices(of: tiles * block, dtype)
      let step = Self.step(block * length)
      for rows in blocks {
        transformWeights(
          weights, rows: rows, columns: columns, into: u, step: step, offset: 0, panel: rows.count)
        multiply(
          v, rows, u.readAddress, panel: rows.count, uStep: step, rows: tiles,
          columns: columns.count, into: m, stride: block)
      }
      transformOutput(m, 0..<tiles, columns, stride: block, bias, into: y)
      withExtendedLifetime(u) {}
    }
  }
}
