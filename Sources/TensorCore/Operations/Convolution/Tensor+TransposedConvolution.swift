import CTensorKernels

extension Tensor {
  /// The transposed 2-D convolution: the adjoint of ``convolved(with:bias:stride:padding:dilation:groups:route:)`` with
  /// the same weights, stride, padding and dilation, plus a bias.
  ///
  /// Self is `[batch, height, width, in]`, the result `[batch, height', width', out]` with
  /// `height' = (height - 1) s - top - bottom + d (kh - 1) + 1 + outputPadding`, and `width'` likewise.
  ///
  /// - Parameters:
  ///   - weights: `[kh, kw, out / groups, in]`; a file's `[in, out / groups, kh, kw]` permuted by `[2, 3, 1, 0]`.
  ///   - bias: `[out]`, or none.
  ///   - stride: rows and columns of the result from an input pixel's window to the next.
  ///   - padding: what is cut from the result's sides.
  ///   - outputPadding: rows and columns added at the bottom and the right; less than the stride or the dilation.
  ///   - dilation: rows and columns between the taps of a window.
  ///   - groups: blocks of channels that do not see each other.
  ///   - route: how it is computed where the stride is 1; see ``ConvolutionRoute``.
  public func transposeConvolved(
    with weights: Tensor, bias: Tensor? = nil, stride: (Int, Int) = (1, 1),
    padding: Padding = .none, outputPadding: (Int, Int) = (0, 0), dilation: (Int, Int) = (1, 1),
    groups: Int = 1, route: ConvolutionRoute = .automatic
  ) -> Tensor {
    let geometry = Self.adjointGeometry(
      shape, weights.shape, stride: stride, padding: padding, outputPadding: outputPadding,
      dilation: dilation, groups: groups)
    Convolution.check(
      self, weights, bias, outChannels: geometry.window.channels, "transposedConvolution")
    let (x, w) = (detached, weights.detached)
    let plain = Convolution.inputGradient(x, w, geometry, route)
    let result = bias.map { plain + $0.detached } ?? plain
    let operands = [self, weights] + (bias.map { [$0] } ?? [])
    return result.recorded(as: .transposedConvolution, from: operands) { gradient, needed in
      var parts: [Tensor?] = [
        needed[0] ? Convolution.forward(gradient, w, nil, geometry, route) : nil,
        needed[1] ? Convolution.weightGradient(gradient, x, geometry, route) : nil,
      ]
      if needed.count == 3 { parts.append(needed[2] ? Convolution.biasGradient(gradient) : nil) }
      return parts
    }
  }

  /// The convolution that this is the adjoint of: from the result's shape to self's.
  private static func adjointGeometry(
    _ shape: [Int], _ weights: [Int], stride: (Int, Int), padding: Padding,
    outputPadding: (Int, Int), dilation: (Int, Int), groups: Int
  ) -> ConvolutionGeometry {
    let operation = "transposedConvolution"
    require(
      shape.count == 4 && weights.count == 4 && weights[3] == shape[3], operation,
      "the input must be [batch, height, width, in] and the weights [kh, kw, out / groups, in], "
        + "got \(shape) and \(weights)")
    require(
      (0..<Swift.max(stride.0, dilation.0)).contains(outputPadding.0)
        && (0..<Swift.max(stride.1, dilation.1)).contains(outputPadding.1), operation,
      "the output padding \(outputPadding) must be less than stride \(stride) or dilation "
        + "\(dilation)")
    let height =
      (shape[1] - 1) * stride.0 - padding.top - padding.bottom + dilation.0 * (weights[0] - 1) + 1
      + outputPadding.0
    let width =
      (shape[2] - 1) * stride.1 - padding.left - padding.right + dilation.1 * (weights[1] - 1) + 1
      + outputPadding.1
    require(
      height > 0 && width > 0, operation,
      "the padding \(padding) leaves nothing of a result of height \(height), width \(width)")
    let geometry = ConvolutionGeometry(
      batch: shape[0],
      window: TKWindow(
        height: height, width: width, channels: weights[2] * groups, out_height: shape[1],
        out_width: shape[2], kernel_height: weights[0], kernel_width: weights[1],
        stride_y: stride.0, stride_x: stride.1, top: padding.top, left: padding.left,
        dilation_y: dilation.0, dilation_x: dilation.1),
      outChannels: shape[3], groups: groups, padding: padding)
    require(
      groups >= 1 && shape[3] % groups == 0, operation,
      "\(groups) groups do not divide the \(shape[3]) input channels")
    return geometry
  }
}
