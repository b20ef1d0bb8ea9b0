import CTensorKernels

/// 3x3 convolution of stride 1 by Winograd's minimal filtering (Lavin and Gray 2016, arXiv:1509.09308):
/// tiles and weights are transformed, multiplied position by position as matrices, and transformed back.
///
/// Tiles are gathered over all samples into blocks whose transforms stay in the cache. A tile's numbers do not depend on
/// the block it is in (see ``PanelProduct``).
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

  /// Tiles a block: more spread the reading of the weights, fewer keep the block in the cache.
  private var block: Int { 48 }

  /// Output channels taken at once, so that the products of a block stay in the second-level cache.
  private var columnBlock: Int { 64 }

  /// y = x * w + bias.
  func forward(_ x: Tensor, _ weights: Tensor, _ bias: Tensor?) -> Tensor {
    let y = Tensor(uninitialized: geometry.outputShape, dtype: x.dtype)
    let transformed = transformedWeights(weights)
    Parallel.ranges(tiles, grain: block) { range in
      let v = Tensor(
        uninitialized: [positions, range.count, geometry.window.channels], dtype: x.dtype)
      transformInput(x, range, into: v)
      multiply(v, transformed, bias, range, into: y)
    }
    withExtendedLifetime((x, transformed, bias)) {}
    return y
  }

  /// G w G^T as `[position, panel, in, width]`.
  func transformedWeights(_ weights: Tensor) -> Tensor {
    let (channels, out) = (geometry.window.channels, geometry.outChannels)
    let u = Tensor(
      uninitialized: [positions, PanelProduct.padded(out, weights.dtype), channels],
      dtype: weights.dtype)
    Parallel.ranges(channels, grain: 16) { range in
      let transform = tile == 4 ? tk_winograd4_weights : tk_winograd2_weights
      transform(
        weights.dtype.kernelType, channels, out, range.lowerBound, range.count,
        weights.readAddress, u.freshAddress)
    }
    withExtendedLifetime(weights) {}
    return u
  }

  /// B^T x B of the tiles in `range`.
  func transformInput(_ x: Tensor, _ range: Range<Int>, into v: Tensor) {
    var window = geometry.window
    let transform = tile == 4 ? tk_winograd4_input : tk_winograd2_input
    transform(
      x.dtype.kernelType, &window, range.lowerBound, range.count, x.readAddress, v.freshAddress,
      range.count * window.channels)
  }

  /// The products of a block of tiles and their way back, some output channels at a time.
  private func multiply(
    _ v: Tensor, _ u: Tensor, _ bias: Tensor?, _ range: Range<Int>, into y: Tensor
  ) {
    let (dtype, size) = (v.dtype, v.dtype.size)
    var window = geometry.window
    let (channels, out) = (window.channels, geometry.outChannels)
    let (width, padded) = (PanelProduct.width(dtype), PanelProduct.padded(out, dtype))
    let most = min(out, columnBlock)
    let m = Tensor(uninitialized: [positions, range.count, most], dtype: dtype)
    let untransform = tile == 4 ? tk_winograd4_output : tk_winograd2_output
    for first in stride(from: 0, to: out, by: most) {
      let count = min(most, out - first)
      for position in 0..<positions {
        tk_gemm(
          dtype.kernelType, range.count, count, channels,
          v.readAddress + position * range.count * channels * size, channels, 1,
          u.readAddress + (position * padded + first) * channels * size, width, channels * width,
          m.freshAddress + position * range.count * most * size, most, 0)
      }
      untransform(
        dtype.kernelType, &window, range.lowerBound, range.count, m.readAddress, most,
        range.count * most, first, count, out, bias?.readAddress, y.freshAddress)
    }
    withExtendedLifetime((v, m)) {}
  }
}
