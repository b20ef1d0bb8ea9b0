import CTensorKernels

/// The three products of a convolution, each by the route that suits its shape.
enum Convolution {
  /// y = x * w + bias.
  static func forward(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry,
    _ route: ConvolutionRoute
  ) -> Tensor {
    Backend.prepare()
    let isSmall = geometry.window.out_height * geometry.window.out_width <= fewPixels
    let isUnfolded =
      route == .automatic && isSmall
      && UnfoldedConvolution.isInBFloat16(weights, x.dtype, geometry)
    let route = isUnfolded ? .im2col : route.resolved(for: geometry)
    switch route {
    case .winograd4, .winograd2:
      return WinogradConvolution(route, geometry).forward(x, weights, bias)
    case .automatic, .im2col, .direct1x1:
      return UnfoldedConvolution.forward(x, weights, bias, geometry)
    }
  }

  /// Up to so many pixels, the transforms of Winograd's weights cost more than multiplying in bfloat16 does.
  private static let fewPixels = 64

  /// dL/dx from dL/dy: at stride 1 a convolution again, with the weights turned over.
  static func inputGradient(
    _ gradient: Tensor, _ weights: Tensor, _ geometry: ConvolutionGeometry,
    _ route: ConvolutionRoute
  ) -> Tensor {
    Backend.prepare()
    let weights = weights.converted(to: gradient.dtype)
    guard let transposed = geometry.transposed else {
      return UnfoldedConvolution.inputGradient(gradient, weights, geometry)
    }
    let turned = Tensor(uninitialized: transposed.weightsShape, dtype: weights.dtype)
    tk_flip_weights(
      weights.dtype.kernelType, geometry.taps, geometry.window.channels, geometry.outChannels,
      weights.readAddress, turned.freshAddress)
    withExtendedLifetime(weights) {}
    return forward(gradient, turned, nil, transposed, route)
  }

  /// dL/dw from x and dL/dy.
  static func weightGradient(
    _ x: Tensor, _ gradient: Tensor, _ geometry: ConvolutionGeometry, _ route: ConvolutionRoute
  ) -> Tensor {
    Backend.prepare()
    if route.resolved(for: geometry) == .winograd4 {
      return WinogradConvolution(.winograd4, geometry).weightGradient(x, gradient)
    }
    return UnfoldedConvolution.weightGradient(x, gradient, geometry)
  }

  /// dL/db: the sum of dL/dy over samples and pixels.
  static func biasGradient(_ gradient: Tensor) -> Tensor { gradient.sum(axes: [0, 1, 2]) }

  static func check(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, outChannels: Int, _ operation: String
  ) {
    require(
      weights.dtype.serves(x.dtype) && (bias.map { $0.dtype == x.dtype } ?? true), operation,
      "input, weights and bias must be of one type that computes (or the weights of one that only "
        + "stores), got \(x.dtype), "
        + "\(weights.dtype), \(bias.map { $0.dtype.rawValue } ?? "none")")
    if let bias {
      require(
        bias.shape == [outChannels], operation,
        "the bias must be [out] = [\(outChannels)], got \(bias.shape)")
    }
  }
}
