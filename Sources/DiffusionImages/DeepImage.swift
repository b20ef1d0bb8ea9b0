/// A picture with 16-bit samples, for files that hold more than `Image` can: laid out as `Image`
/// is.
public struct DeepImage: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Samples in a pixel, 1 to 4, as in `Image`.
  public let channels: Int
  /// `[height, width, channels]` samples in `0...65535`.
  public let samples: [UInt16]

  /// An image of the given samples.
  ///
  /// - Parameter samples: `height * width * channels` values.
  public init(width: Int, height: Int, channels: Int, samples: [UInt16]) {
    checkGeometry("DeepImage", width, height, channels, count: samples.count)
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }
}

extension Image {
  /// The nearest 8-bit image: `round(v / 257)` of every sample.
  public init(_ deep: DeepImage) {
    self.init(
      width: deep.width, height: deep.height, channels: deep.channels,
      samples: deep.samples.map { UInt8((UInt32($0) + 128) / 257) })
  }
}
