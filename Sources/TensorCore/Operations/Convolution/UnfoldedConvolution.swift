import CTensorKernels

/// Convolution through rows of windows (im2col) times weights, in panels that stay in the cache.
enum UnfoldedConvolution {
  /// Bytes of unfolded windows a tile holds: about half of a second-level cache.
  private static let panelBytes = 256 << 10

  private static func rowsOfPanel(_ depth: Int, _ dtype: DType) -> Int {
    max(24, min(240, panelBytes / (depth * dtype.size) / 24 * 24))
  }

  /// Elements that panels of weights and all threads' windows take, of float32.
  static func scratchElements(_ geometry: ConvolutionGeometry) -> Int {
    let depth = geometry.taps * geometry.channelsPerGroup
    let rows = min(geometry.pixels, rowsOfPanel(depth, .float32))
    return depth
      * (PanelProduct.padded(geometry.outPerGroup, .float32) + Backend.threads * rows)
  }

  /// y = x * w + bias.
  static func forward(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (dtype, size) = (x.dtype, x.dtype.size)
    let type = dtype.kernelType
    let y = Tensor(uninitialized: geometry.outputShape, dtype: dtype)
    if geometry.groups == 1 && geometry.isPointwise {
      multiply(x, weights, bias, geometry, into: y)
      return y
    }
    if geometry.groups == 1 && isInBFloat16(weights, dtype, geometry) {
      multiply(windows(x, geometry), weights, bias, geometry, into: y)
      return y
    }
    let (per, out) = (geometry.channelsPerGroup, geometry.outPerGroup)
    let depth = geometry.taps * per
    let rows = rowsOfPanel(depth, dtype)
    let width = PanelProduct.width(dtype)
    let (source, target) = (x.readAddress, y.freshAddress)
    let direct = geometry.isPointwise
    for group in 0..<geometry.groups {
      let panels = PanelProduct.packed(
        MatrixOperand(
          address: weights.readAddress + group * out * weights.dtype.size,
          stride: geometry.outChannels, isTransposed: false, dtype: weights.dtype), rows: depth,
        columns: out, dtype: dtype)
      let offset = bias.map { $0.readAddress + group * out * size }
      Parallel.ranges(geometry.pixels, grain: rows) { range in
        var window = geometry.window
        let first = range.lowerBound
        let result = target + (first * geometry.outChannels + group * out) * size
        func multiply(_ a: UnsafeRawPointer) {
          tk_gemm(
            type, range.count, out, depth, a, depth, 1, panels.readAddress, width, depth * width,
            offset, result, geometry.outChannels, 0)
        }
        if direct {
          multiply(source + first * depth * size)
        } else {
          let windows = Tensor(uninitialized: [range.count, depth], dtype: dtype)
          tk_unfold(
            type, &window, first, range.count, group * per, per, 0, geometry.taps, source,
            windows.freshAddress)
          multiply(windows.readAddress)
          withExtendedLifetime(windows) {}
        }
      }
      withExtendedLifetime(panels) {}
    }
    withExtendedLifetime((x, weights, bias)) {}
    return y
  }

  /// All windows as rows, `[pixels, taps * in]`, times the weights.
  private static func multiply(
    _ windows: Tensor, _ weights: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry,
    into y: Tensor
  ) {
    let depth = geometry.taps * geometry.window.channels
    ProductTiles.multiply(
      y.dtype, m: geometry.pixels, n: geometry.outChannels, k: depth,
      MatrixOperand(
        address: windows.readAddress, stride: depth, isTransposed: false, dtype: y.dtype),
      operand(weights, geometry), bias: bias?.readAddress, into: y.freshAddress)
    withExtendedLifetime((windows, weights, bias)) {}
  }

  private static func operand(_ weights: Tensor, _ geometry: ConvolutionGeometry) -> MatrixOperand {
    MatrixOperand(
      address: weights.readAddress, stride: geometry.outChannels, isTransposed: false,
      dtype: weights.dtype)
  }

  /// Whether the product is computed in bfloat16.
  static func isInBFloat16(
    _ weights: Tensor, _ dtype: DType, _ geometry: ConvolutionGeometry
  ) -> Bool {
    ProductTiles.multipliesInBFloat16(
      dtype, operand(weights, geometry), depth: geometry.taps * geometry.window.channels)
  }

  private static func windows(_ x: Tensor, _ geometry: ConvolutionGeometry) -> Tensor {
    let depth = geometry.taps * geometry.window.channels
    let rows = Tensor(uninitialized: [geometry.pixels, depth], dtype: x.dtype)
    Parallel.ranges(geometry.pixels, grain: max(1, (1 << 16) / depth)) { range in
      var window = geometry.window
      tk_unfold(
        x.dtype.kernelType, &window, range.lowerBound, range.count, 0, window.channels, 0,
        geometry.taps, x.readAddress,
        rows.freshAddress + range.lowerBound * depth * x.dtype.size)
    }
    withExtendedLifetime(x) {}
    return rows
  }

  /// dx: the output's gradient times the weights' transpose gives what each window gets, and every input pixel gathers
  /// from the windows that saw it. Any stride, padding and dilation.
  static func inputGradient(
    _ gradient: Tensor, _ weights: Tensor, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (dtype, size, taps) = (gradient.dtype, gradient.dtype.size, geometry.taps)
    let (per, out) = (geometry.channelsPerGroup, geometry.outPerGroup)
    let dx = Tensor(uninitialized: geometry.inputShape, dtype: dtype)
    let window = geometry.window
    let outPixels = window.out_height * window.out_width
    let inPixels = window.height * window.width
    let columns = taps * per
    let width = PanelProduct.width(dtype)
    for group in 0..<geometry.groups {
      let panels = transposedPanels(weights, group, geometry)
      Parallel.forEach(geometry.batch) { sample in
        var window = window
        let spread = Tensor(uninitialized: [outPixels, columns], dtype: dtype)
        let source =
          gradient.readAddress + (sample * outPixels * geometry.outChannels + group * out) * size
        let target = dx.freshAddress + sample * inPixels * window.channels * size
        Parallel.ranges(outPixels, grain: 48) { range in
          tk_gemm(
            dtype.kernelType, range.count, columns, out,
            source + range.lowerBound * geometry.outChannels * size, geometry.outChannels, 1,
            panels.readAddress, width, out * width, nil,
            spread.freshAddress + range.lowerBound * columns * size, columns, 0)
        }
        Parallel.ranges(inPixels, grain: 256) { range in
          tk_fold(
            dtype.kernelType, &window, range.lowerBound, range.count, group * per, per,
            spread.readAddress, target)
        }
        withExtendedLifetime(spread) {}
      }
      withExtendedLifetime(panels) {}
    }
    withExtendedLifetime((gradient, weights)) {}
    return dx
  }

  /// A group's weights `[taps * in, out]` as panels of their transpose `[out, taps * in]`.
  private static func transposedPanels(
    _ weights: Tensor, _ group: Int, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let out = geometry.outPerGroup
    defer { withExtendedLifetime(weights) {} }
    return PanelProduct.packed(
      MatrixOperand(
        address: weights.readAddress + group * out * weights.dtype.size,
        stride: geometry.outChannels, isTransposed: true, dtype: weights.dtype),
      rows: out, columns: geometry.taps * geometry.channelsPerGroup, dtype: weights.dtype)
  }
}
