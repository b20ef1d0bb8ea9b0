/// How a convolution is computed. All routes give the same numbers up to rounding.
public enum ConvolutionRoute: String, Sendable, Codable, CaseIterable {
  /// The fastest of the others for the shape, by measurement.
  case automatic
  /// Windows copied to rows, in panels that stay in the cache, times the weights: any convolution, and the reference
  /// for the other routes.
  case im2col
  /// Winograd's F(4x4, 3x3): a quarter of the multiplications, about four times the rounding error of `im2col`.
  case winograd4
  /// Winograd's F(2x2, 3x3): four ninths of the multiplications, about the rounding error of `im2col`.
  case winograd2
  /// A matrix product without any copy, for 1x1 kernels of stride 1 without padding.
  case direct1x1

  /// Whether this route can compute `geometry`.
  func takes(_ geometry: ConvolutionGeometry) -> Bool {
    switch self {
    case .automatic, .im2col: true
    case .winograd4, .winograd2: geometry.suitsWinograd
    case .direct1x1: geometry.isPointwise
    }
  }

  /// The route that `automatic` stands for; ends the program where a forced one cannot compute `geometry`.
  func resolved(for geometry: ConvolutionGeometry) -> ConvolutionRoute {
    require(
      takes(geometry), "convolution",
      "the route \(rawValue) does not compute \(geometry); ask for .automatic or .im2col")
    return self == .automatic ? Self.fastest(for: geometry) : self
  }

  /// Measured: Winograd pays from 16 channels on one side, even where the other has only 3 (half the time of im2col
  /// from 64 to 3); F(4x4, 3x3) pays where a tile is not mostly edge.
  private static func fastest(for geometry: ConvolutionGeometry) -> ConvolutionRoute {
    if geometry.isPointwise { return .direct1x1 }
    let window = geometry.window
    guard geometry.suitsWinograd, max(window.channels, geometry.outChannels) >= 16 else {
      return .im2col
    }
    return min(window.out_height, window.out_width) >= 3 ? .winograd4 : .winograd2
  }
}
