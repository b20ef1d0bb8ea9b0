import CTensorKernels

extension WinogradConvolution {
  /// Bytes of transformed tiles a round holds. Measured: 2 MiB take half the time of 16.
  private static let roundBytes = 2 << 20
  /// Tiles a task transforms.
  private static let transformBlock = 8

  /// dw = G^T [sum over tiles of (B^T x B)^T (A dy A^T)] G: the adjoint of F(4x4, 3x3), position by position.
  ///
  /// Rounds of tiles are transformed in parallel, then the 36 products are added up in parallel; the order of the
  /// sums depends on the shapes alone.
  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let dtype = x.dtype
    let (channels, out) = (geometry.window.channels, geometry.outChannels)
    let du = positionMatrices(of: channels * out, dtype)
    let tileBytes = positions * (channels + PanelProduct.padded(out, dtype)) * dtype.size
    let round = max(64, Self.roundBytes / tileBytes / 16 * 16)
    var first = 0
    repeat {
      let range = first..<min(tiles, first + round)
      accumulate(x, gradient, range, into: du)
      first = range.upperBound
    } while first < tiles
    let dw = Tensor(uninitialized: geometry.weightsShape, dtype: dtype)
    Parallel.ranges(channels, grain: 16) { rows in
      tk_winograd4_weights_gradient(
        dtype.kernelType, channels, out, rows.lowerBound, rows.count, du.readAddress,
        Self.step(channels * out), dw.freshAddress)
    }
    withExtendedLifetime((x, gradient, du)) {}
    return dw
  }

  /// Adds a round of tiles to `du` `[position, in, out]`.
  private func accumulate(
    _ x: Tensor, _ gradient: Tensor, _ range: Range<Int>, into du: Tensor
  ) {
    let (dtype, size, count) = (x.dtype, x.dtype.size, range.count)
    let (channels, out) = (geometry.window.channels, geometry.outChannels)
    let width = PanelProduct.width(dtype)
    let dElements = count * PanelProduct.padded(out, dtype)
    let v = positionMatrices(of: count * channels, dtype)
    let d = positionMatrices(of: dElements, dtype)
    Parallel.ranges(count, grain: Self.transformBlock) { part in
      var window = geometry.window
      let first = range.lowerBound + part.lowerBound
      transformInput(
        x, first..<first + part.count, into: v, rows: count, offset: part.lowerBound)
      tk_winograd4_gradient(
        dtype.kernelType, &window, first, part.count, out, gradient.readAddress,
        d.freshAddress + part.lowerBound * width * size, Self.step(dElements), count * width)
    }
    Parallel.forEach(positions) { position in
      tk_gemm(
        dtype.kernelType, channels, out, count,
        v.readAddress + position * Self.step(count * channels) * size, 1, channels,
        d.readAddress + position * Self.step(dElements) * size, width, count * width, nil,
        du.freshAddress + position * Self.step(channels * out) * size, out,
        range.lowerBound > 0 ? 1 : 0)
    }
    withExtendedLifetime((v, d)) {}
  }
}
