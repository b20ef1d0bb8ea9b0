extension Tensor {
  /// The 2-D convolution (cross-correlation, as networks have it) of pictures, channels last:
  ///
  ///     y[b, i, j, o] = bias[o] + sum over u, v, c of x[b, i s - p + u d, j s - p + v d, c] w[u, v, c, o]
  ///
  /// Outside of the picture x is 0. The result's height is `(height + top + bottom - d (kh - 1) - 1) / s + 1`, rounded
  /// down; its width likewise. Self is `[batch, height, width, in]`, the result `[batch, height', width', out]`.
  ///
  /// A sample's bytes depend neither on the batch it is in nor on the number of threads.
  ///
  /// - Parameters:
  ///   - weights: `[kh, kw, in / groups, out]`; a file's `[out, in / groups, kh, kw]` permuted by `[2, 3, 1, 0]`.
  ///   - bias: `[out]`, or none.
  ///   - stride: rows and columns from a window to the next.
  ///   - padding: zeros around the picture, each side its own.
  ///   - dilation: rows and columns between the taps of a window.
  ///   - groups: input and output channels are cut into so many blocks that do not see each other; as many as there
  ///     are input channels make it depthwise.
  ///   - route: how it is computed; see ``ConvolutionRoute``.
  public func convolved(
    with weights: Tensor, bias: Tensor? = nil, stride: (Int, Int) = (1, 1),
    padding: Padding = .none, dilation: (Int, Int) = (1, 1), groups: Int = 1,
    route: ConvolutionRoute = .automatic
  ) -> Tensor {
    let geometry = ConvolutionGeometry(
      input: shape, weights: weights.shape, stride: stride, padding: padding, dilation: dilation,
      groups: groups, "convolution")
    Convolution.check(self, weights, bias, outChannels: geometry.outChannels, "convolution")
    let (x, w) = (detached, weights.detached)
    let operands = [self, weights] + (bias.map { [$0] } ?? [])
    return Convolution.forward(x, w, bias?.detached, geometry, route)
      .recorded(as: .convolution, from: operands) { gradient, needed in
        var parts: [Tensor?] = [
          needed[0] ? Convolution.inputGradient(gradient, w, geometry, route) : nil,
          needed[1] ? Convolution.weightGradient(x, gradient, geometry, route) : nil,
        ]
        if needed.count == 3 { parts.append(needed[2] ? Convolution.biasGradient(gradient) : nil) }
        return parts
      }
  }
}
