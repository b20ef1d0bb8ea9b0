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
    let channels = image.channels
    var samples: [UInt8] = []
    samples.reserveCapacity(image.samples.count)
    for y in 0..<height {
      for x in 0..<width {
        let (column, row) = source(x, y, image.width - 1, image.height - 1)
        let start = (row * image.width + column) * channels
        samples.append(contentsOf: image.samples[start..<start + channels])
      }
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
