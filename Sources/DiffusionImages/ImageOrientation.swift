/// How a camera was held: EXIF's orientation (tag 0x0112), by what brings the stored picture upright.
public enum ImageOrientation: Int, Sendable, CaseIterable {
  case upright = 1
  case mirrored
  case turnedHalf
  case flipped
  case transposed
  case turnedRight
  case transversed
  case turnedLeft

  /// Whether width and height change places.
  public var swapsSides: Bool { rawValue >= 5 }

  /// The picture as it is to be seen.
  public func upright(_ image: Image) -> Image {
    if self == .upright { return image }
    let width = swapsSides ? image.height : image.width
    let height = swapsSides ? image.width : image.height
    let (channels, stored) = (image.channels, image.width)
    let count = width * height * channels
    let (right, bottom) = (image.width - 1, image.height - 1)
    let samples = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
      image.samples.withUnsafeBufferPointer { samples in
        for y in 0..<height {
          for x in 0..<width {
            let (column, row) = source(x, y, right, bottom)
            let (from, to) = ((row * stored + column) * channels, (y * width + x) * channels)
            for channel in 0..<channels { out[to + channel] = samples[from + channel] }
          }
        }
      }
      initialized = count
    }
    return Image(width: width, height: height, channels: channels, samples: samples)
  }

  /// The stored column and row of a place in the upright picture.
  private func source(_ x: Int, _ y: Int, _ right: Int, _ bottom: Int) -> (Int, Int) {
    switch self {
    case .upright: (x, y)
    case .mirrored: (right - x, y)
    case .turnedHalf: (right - x, bottom - y)
    case .flipped: (x, bottom - y)
    case .transposed: (y, x)
    case .turnedRight: (y, bottom - x)
    case .transversed: (right - y, bottom - x)
    case .turnedLeft: (right - y, x)
    }
  }
}
