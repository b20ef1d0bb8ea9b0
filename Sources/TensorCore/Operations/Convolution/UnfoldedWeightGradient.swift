import CTensorKernels

extension UnfoldedConvolution {
  /// Output pixels taken at once: their rows of windows and gradients stay in the second-level cache.
  private static let pixelBlock = 192
  /// Input channels a task takes: a fixed cut, so that neither the split nor the order of sums depends on the threads.
  private static let channelBlock = 48

  /// dw: for every tap and block of input channels a task of its own, which sums over all output pixels in order.
  static func weightGradient(
    _ x: Tensor, _ gradient: Tensor, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let dw = Tensor(uninitialized: geometry.weightsShape, dtype: x.dtype)
    let per = geometry.channelsPerGroup
    let blocks = (per + channelBlock - 1) / channelBlock
    for group in 0..<geometry.groups {
      Parallel.forEach(geometry.taps * blocks) { task in
        let first = task % blocks * channelBlock
        weightGradient(
          x, gradient, geometry, into: dw, group: group, tap: task / blocks,
          channels: first..<min(per, first + channelBlock))
      }
    }
    return dw
  }

  private static func weightGradient(
    _ x: Tensor, _ gradient: Tensor, _ geometry: ConvolutionGeometry, into dw: Tensor,
    group: Int, tap: Int, channels: Range<Int>
  ) {
    let (dtype, size) = (x.dtype, x.dtype.size)
    let type = dtype.kernelType
    let (per, out, all) = (
      geometry.channelsPerGroup, geometry.outPerGroup, geometry.outChannels
    )
    let width = PanelProduct.width(dtype)
    let (source, seed) = (x.readAddress, gradient.readAddress + group * out * size)
    let windows = Tensor(uninitialized: [pixelBlock, channels.count], dtype: dtype)
    let panels = Tensor(
      uninitialized: [PanelProduct.padded(out, dtype), pixelBlock], dtype: dtype)
    let start = (tap * per + channels.lowerBound) * all + group * out
    var window = geometry.window
    var first = 0
    repeat {
      let count = min(pixelBlock, geometry.pixels - first)
      tk_unfold(
        type, &window, first, count, group * per + channels.lowerBound, channels.count, tap, 1,
        source, windows.freshAddress)
      tk_gemm_pack(type, count, out, seed + first * all * size, all, panels.freshAddress)
      tk_gemm(
        type, channels.count, out, count, windows.readAddress, 1, channels.count,
        panels.readAddress, width, count * width, dw.freshAddress + start * size, all,
        first > 0 ? 1 : 0)
      first += count
    } while first < geometry.pixels
    withExtendedLifetime((x, gradient, dw, windows, panels)) {}
  }
}
