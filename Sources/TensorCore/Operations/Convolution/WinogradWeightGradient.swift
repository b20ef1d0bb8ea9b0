import CTensorKernels

extension WinogradConvolution {
  /// Bytes of transformed tiles a round holds: they stay in the third-level cache.
  private static let roundBytes = 8 << 20

  /// dw = G^T [sum over tiles of (B^T x B)^T (A dy A^T)] G: the adjoint of F(4x4, 3x3), position by position.
  ///
  /// Rounds of tiles are transformed in parallel, then the 36 products are added up in parallel; the order of the
  /// sums depends on the shapes alone.
  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let dtype = x.dtype
    let (channels, out) = (geometry.window.channels, geometry.outChannels)
    let du = Tensor(uninitialized: [positions, channels, out], dtype: dtype)
    let grain = 32
    let tileBytes = positions * (channels + PanelProduct.padded(out, dtype)) * dtype.size
    let round = max(1, Self.roundBytes / (tileBytes * grain)) * grain
    var first = 0
    repeat {
      let range = first..<min(tiles, first + round)
      accumulate(x, gradient, range, grain: grain, into: du)
      first = range.upperBound
    } while first < tiles
    let dw = Tensor(uninitialized: geometry.weightsShape, dtype: dtype)
    Parallel.ranges(channels, grain: 16) { rows in
      tk_winograd4_weights_gradient(
        dtype.kernelType, channels, out, rows.lowerBound, rows.count, du.readAddress,
        dw.freshAddress)
    }
    withExtendedLifetime((x, gradient, du)) {}
    return dw
  }

  /// Adds a round of tiles to `du` `[position, in, out]`.
  private func accumulate(
    _ x: Tensor, _ gradient: Tensor, _ range: Range<Int>, grain: Int, into du: Tensor
  ) {
    let (dtype, size) = (x.dtype, x.dtype.size)
    let (channels, out) = (geometry.window.channels, geometry.outChannels)
    let padded = PanelProduct.padded(out, dtype)
    let width = PanelProduct.width(dtype)
    let blocks = (range.count + grain - 1) / grain
    let vBlock = positions * grain * channels
    let dBlock = positions * grain * padded
    let v = Tensor(uninitialized: [blocks, vBlock], dtype: dtype)
    let d = Tensor(uninitialized: [blocks, dBlock], dtype: dtype)
    func tilesOf(_ block: Int) -> Range<Int> {
      let start = range.lowerBound + block * grain
      return start..<min(range.upperBound, start + grain)
    }
    Parallel.forEach(blocks) { block in
      var window = geometry.window
      let own = tilesOf(block)
      tk_winograd4_input(
        dtype.kernelType, &window, own.lowerBound, own.count, x.readAddress,
        v.freshAddress + block * vBlock * size, own.count * channels)
      tk_winograd4_gradient(
        dtype.kernelType, &window, own.lowerBound, own.count, out, gradient.readAddress,
        d.freshAddress + block * dBlock * size, own.count * padded)
    }
    Parallel.forEach(positions) { position in
      for block in 0..<blocks {
        let count = tilesOf(block).count
        tk_gemm(
          dtype.kernelType, channels, out, count,
          v.readAddress + (block * vBlock + position * count * channels) * size, 1, channels,
          d.readAddress + (block * dBlock + position * count * padded) * size, width,
          count * width, du.freshAddress + position * channels * out * size, out,
          block > 0 || range.lowerBound > 0 ? 1 : 0)
      }
    }
    withExtendedLifetime((v, d)) {}
  }
}
