/// How large a picture a file may claim to be before it is refused, ahead of any allocation.
public struct PictureLimits: Sendable, Equatable {
  /// The largest width and height, in pixels.
  public let maximumSide: Int
  /// The largest width times height, in pixels.
  public let maximumPixels: Int

  /// Limits; by default 65,535 pixels a side and 2^27 (134 million) in all.
  public init(maximumSide: Int = 65_535, maximumPixels: Int = 1 << 27) {
    guard (1...0x7FFF_FFFF).contains(maximumSide), (1...(1 << 40)).contains(maximumPixels) else {
      imageMisuse(
        "PictureLimits: expected a side of 1 to 2^31 - 1 and 1 to 2^40 pixels, "
          + "found \(maximumSide) and \(maximumPixels)")
    }
    self.maximumSide = maximumSide
    self.maximumPixels = maximumPixels
  }
}
