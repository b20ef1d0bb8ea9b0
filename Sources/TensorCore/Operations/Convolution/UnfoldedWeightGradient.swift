import CTensorKernels

extension UnfoldedConvolution {
  /// Output pixels taken at once: their rows of windows and gradients stay in the second-level cache.
  private static let pixelBlock = 192
  /// Rows of the result a task takes, about.
  private static let rowBlock = 48
  /// Tasks there are at least, so that every thread has some.
  private static let leastTasks = 16

  /// A task's share of the result: taps and input channels of a group, summed over a range of output pixels.
  private struct Share {
    let taps: Range<Int>
    let channels: Range<Int>
    let pixels: Range<Int>
    let group: Int
  }

  /// dw: the rows of the result (taps by input channels) are cut into blocks and, where those are few, the pixels into
  /// parts whose sums are added up in order. The cut depends on the shapes alone.
  static func weightGradient(
    _ x: Tensor, _ gradient: Tensor, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (per, taps, pixels) = (geometry.channelsPerGroup, geometry.taps, geometry.pixels)
    let tapsAtOnce = min(taps, max(1, rowBlock / per))
    let channelsAtOnce = min(per, rowBlock)
    let blocks = ((taps - 1) / tapsAtOnce + 1) * ((per - 1) / channelsAtOnce + 1)
    let wanted = (leastTasks - 1) / (blocks * geometry.groups) + 1
    let part = max(pixelBlock, ((pixels - 1) / wanted / pixelBlock + 1) * pixelBlock)
    var shares: [Share] = []
    for group in 0..<geometry.groups {
      for tap in stride(from: 0, to: taps, by: tapsAtOnce) {
        for channel in stride(from: 0, to: per, by: channelsAtOnce) {
          for pixel in stride(from: 0, to: max(1, pixels), by: part) {
            shares.append(
              Share(
                taps: tap..<min(taps, tap + tapsAtOnce),
                channels: channel..<min(per, channel + channelsAtOnce),
                pixels: pixel..<min(pixels, pixel + part), group: group))
          }
        }
      }
    }
    let parts = max(1, (pixels + part - 1) / part)
    let sums = Tensor(uninitialized: [parts] + geometry.weightsShape, dtype: x.dtype)
    let elements = geometry.weightsShape.reduce(1, *) * x.dtype.size
    Parallel.forEach(shares.count) { index in
      let share = shares[index]
      let target = sums.freshAddress + share.pixels.lowerBound / part * elements
      weightGradient(x, gradient, geometry, share, into: target)
    }
    withExtendedLifetime((x, gradient)) {}
    return parts == 1 ? sums.viewed(as: geometry.weightsShape) : sums.sum(axes: [0])
  }

  private static func weightGradient(
    _ x: Tensor, _ gradient: Tensor, _ geometry: ConvolutionGeometry, _ share: Share,
    into target: UnsafeMutableRawPointer
  ) {
    let (dtype, size) = (x.dtype, x.dtype.size)
    let type = dtype.kernelType
    let (per, out, all) = (
      geometry.channelsPerGroup, geometry.outPerGroup, geometry.outChannels
    )
    let width = PanelProduct.width(dtype)
    let rows = share.taps.count * share.channels.count
    let seed = gradient.readAddress + share.group * out * size
    let windows = Tensor(uninitialized: [pixelBlock, rows], dtype: dtype)
    let panels = Tensor(
      uninitialized: [PanelProduct.padded(out, dtype), pixelBlock], dtype: dtype)
    // Several taps come with all their channels, so the rows of a task follow each other in the result.
    let start = (share.taps.lowerBound * per + share.channels.lowerBound) * all + share.group * out
    var window = geometry.window
    var first = share.pixels.lowerBound
    repeat {
      let count = min(pixelBlock, share.pixels.upperBound - first)
      tk_unfold(
        type, &window, first, count, share.group * per + share.channels.lowerBound,
        share.channels.count, share.taps.lowerBound, share.taps.count, x.readAddress,
        windows.freshAddress)
      tk_gemm_pack(
        type, count, out, TK_AS_COMPUTED, seed + first * all * size, all, 1, panels.freshAddress,
        nil)
      tk_gemm(
        type, rows, out, count, windows.readAddress, 1, rows, panels.readAddress, width,
        count * width, nil, target + start * size, all, first > share.pixels.lowerBound ? 1 : 0)
      first += count
    } while first < share.pixels.upperBound
    withExtendedLifetime((windows, panels)) {}
  }
}
