import CTensorKernels

/// The shapes of one convolution: `[batch, height, width, in]` by `[kh, kw, in / groups, out]`.
struct ConvolutionGeometry: Sendable, CustomStringConvertible {
  let batch: Int
  let window: TKWindow
  let outChannels: Int
  let groups: Int
  let padding: Padding

  /// Works out the output's size and ends the program where the shapes do not fit.
  init(
    input: [Int], weights: [Int], stride: (Int, Int), padding: Padding, dilation: (Int, Int),
    groups: Int, _ operation: String
  ) {
    require(
      input.count == 4, operation,
      "the input must be [batch, height, width, in], got \(input)")
    require(
      weights.count == 4, operation,
      "the weights must be [kh, kw, in / groups, out], got \(weights)")
    require(
      groups >= 1 && input[3] == weights[2] * groups && weights[3] % groups == 0, operation,
      "\(groups) groups do not fit an input [batch, height, width, in] of \(input) and weights "
        + "[kh, kw, in / groups, out] of \(weights)")
    let window = TKWindow(
      sliding: (weights[0], weights[1]), over: input, stride: stride, padding: padding,
      dilation: dilation, operation)
    self.init(
      batch: input[0], window: window, outChannels: weights[3], groups: groups, padding: padding)
  }

  init(batch: Int, window: TKWindow, outChannels: Int, groups: Int, padding: Padding) {
    self.batch = batch
    self.window = window
    self.outChannels = outChannels
    self.groups = groups
    self.padding = padding
  }

  var outputShape: [Int] { [batch, window.out_height, window.out_width, outChannels] }
  var inputShape: [Int] { [batch, window.height, window.width, window.channels] }
  var weightsShape: [Int] {
    [window.kernel_height, window.kernel_width, channelsPerGroup, outChannels]
  }
  var channelsPerGroup: Int { window.channels / groups }
  var outPerGroup: Int { outChannels / groups }
  var taps: Int { window.kernel_height * window.kernel_width }
  /// Output pixels over all samples.
  var pixels: Int { batch * window.out_height * window.out_width }
  var inputPixels: Int { batch * window.height * window.width }

  private var hasUnitStride: Bool { window.stride_y == 1 && window.stride_x == 1 }

  var isPointwise: Bool { taps == 1 && groups == 1 && hasUnitStride && padding == .none }

  var suitsWinograd: Bool {
    window.kernel_height == 3 && window.kernel_width == 3 && groups == 1 && hasUnitStride
      && window.dilation_y == 1 && window.dilation_x == 1
  }

  /// The convolution of the output's gradient, with flipped weights, that gives the input's gradient; `nil` where
  /// the stride leaves holes, or the padding or an output padding reaches beyond the kernel.
  var transposed: ConvolutionGeometry? {
    let reach = (
      (window.kernel_height - 1) * window.dilation_y, (window.kernel_width - 1) * window.dilation_x
    )
    let most = Padding(
      top: reach.0 - padding.top, bottom: reach.0 - padding.bottom,
      left: reach.1 - padding.left, right: reach.1 - padding.right)
    guard hasUnitStride, groups == 1, min(most.top, most.bottom, most.left, most.right) >= 0
    else { return nil }
    let adjoint = ConvolutionGeometry(
      input: outputShape,
      weights: [window.kernel_height, window.kernel_width, outChannels, window.channels],
      stride: (1, 1), padding: most, dilation: (window.dilation_y, window.dilation_x), groups: 1,
      "convolution")
    return adjoint.outputShape == inputShape ? adjoint : nil
  }

  var description: String {
    "a \(window.kernel_height)x\(window.kernel_width) convolution \(inputShape) to \(outputShape), "
      + "stride (\(window.stride_y), \(window.stride_x)), dilation (\(window.dilation_y), "
      + "\(window.dilation_x)), \(groups) groups"
  }
}

extension TKWindow {
  /// Windows of `kernel` over a picture `[batch, height, width, channels]`; the last may reach over the padding by up to
  /// `stride - 1` where `roundsUp`, as long as it begins inside.
  init(
    sliding kernel: (Int, Int), over input: [Int], stride: (Int, Int), padding: Padding,
    dilation: (Int, Int), roundsUp: Bool = false, _ operation: String
  ) {
    require(
      min(kernel.0, kernel.1, stride.0, stride.1) >= 1 && min(dilation.0, dilation.1) >= 1,
      operation, "kernel \(kernel), stride \(stride) and dilation \(dilation) must be 1 or more")
    require(
      min(padding.top, padding.bottom, padding.left, padding.right) >= 0, operation,
      "padding is not negative, got \(padding); use sliced to cut")
    func windows(
      _ length: Int, _ kernel: Int, _ stride: Int, _ before: Int, _ after: Int, _ dilation: Int
    ) -> Int {
      let room = length + before + after - dilation * (kernel - 1) - 1
      require(
        room >= 0, operation,
        "a kernel of \(kernel) (dilation \(dilation)) does not fit \(length) pixels padded by "
          + "\(before) and \(after)")
      var count = (room + (roundsUp ? stride - 1 : 0)) / stride + 1
      if roundsUp && (count - 1) * stride >= length + before { count -= 1 }
      return count
    }
    self.init(
      height: input[1], width: input[2], channels: input[3],
      out_height: windows(
        input[1], kernel.0, stride.0, padding.top, padding.bottom, dilation.0),
      out_width: windows(input[2], kernel.1, stride.1, padding.left, padding.right, dilation.1),
      kernel_height: kernel.0, kernel_width: kernel.1, stride_y: stride.0, stride_x: stride.1,
      top: padding.top, left: padding.left, dilation_y: dilation.0, dilation_x: dilation.1)
  }
}
