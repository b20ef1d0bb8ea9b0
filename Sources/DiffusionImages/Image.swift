/// A picture in memory: 8-bit samples, row after row from the top, channels interleaved.
///
/// One channel is grey, two are grey and alpha, three are RGB, four are RGB and alpha. Alpha is
/// straight (not multiplied into the colours). Samples are as the file stores them, that is sRGB in
/// practice; no colour profile or gamma is applied.
public struct Image: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Samples in a pixel, 1 to 4.
  public let channels: Int
  /// `[height, width, channels]` samples in `0...255`.
  public private(set) var samples: [UInt8]

  /// An image of the given samples.
  ///
  /// - Parameter samples: `height * width * channels` values.
  public init(width: Int, height: Int, channels: Int, samples: [UInt8]) {
    checkGeometry("Image", width, height, channels, count: samples.count)
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }

  /// An image whose every pixel is `pixel`, one value a channel.
  public init(width: Int, height: Int, filledWith pixel: [UInt8]) {
    checkGeometry("Image", width, height, pixel.count, count: nil)
    self.init(
      width: width, height: height, channels: pixel.count,
      samples: [UInt8](unsafeUninitializedCapacity: width * height * pixel.count) { out, count in
        for index in 0..<(width * height * pixel.count) { out[index] = pixel[index % pixel.count] }
        count = width * height * pixel.count
      })
  }

  /// True for two and four channels.
  public var hasAlpha: Bool { channels == 2 || channels == 4 }

  /// True for one and two channels.
  public var isGrey: Bool { channels < 3 }

  /// One sample, `x` from the left and `y` from the top.
  public subscript(x: Int, y: Int, channel: Int) -> UInt8 {
    get { samples[index(x, y, channel)] }
    set { samples[index(x, y, channel)] = newValue }
  }

  /// All channels of one pixel.
  public subscript(x: Int, y: Int) -> [UInt8] {
    get {
      let start = index(x, y, 0)
      return Array(samples[start..<start + channels])
    }
    set {
      if newValue.count != channels {
        imageMisuse("Image[x, y]: expected \(channels) channels, found \(newValue.count)")
      }
      for channel in 0..<channels { samples[index(x, y, channel)] = newValue[channel] }
    }
  }

  /// Puts an image of as many channels, which fits, at `x`, `y`.
  public mutating func place(_ image: Image, x: Int, y: Int) {
    for row in 0..<image.height {
      let source = row * image.width * channels
      let target = index(x, y + row, 0)
      samples.replaceSubrange(
        target..<target + image.width * channels,
        with: image.samples[source..<source + image.width * channels])
    }
  }

  private func index(_ x: Int, _ y: Int, _ channel: Int) -> Int {
    guard (0..<width).contains(x), (0..<height).contains(y), (0..<channels).contains(channel) else {
      imageMisuse(
        "Image: x \(x), y \(y), channel \(channel) is outside of "
          + "\(width) x \(height) x \(channels) (width, height, channels)")
    }
    return (y * width + x) * channels + channel
  }
}

/// Where misuse of this module ends: a line that names the operation, what was expected and what
/// was found.
func imageMisuse(_ message: String) -> Never {
  fatalError("misuse: \(message)")
}

/// Checks the size of an image and the number of its samples, if one is given.
func checkGeometry(_ operation: String, _ width: Int, _ height: Int, _ channels: Int, count: Int?) {
  guard width > 0, height > 0, (1...4).contains(channels) else {
    imageMisuse(
      "\(operation): expected width and height above 0 and 1 to 4 channels, "
        + "found \(width) x \(height) x \(channels)")
  }
  if let count, count != width * height * channels {
    imageMisuse(
      "\(operation): \(width) x \(height) x \(channels) (width, height, channels) takes "
        + "\(width * height * channels) samples, found \(count)")
  }
}
