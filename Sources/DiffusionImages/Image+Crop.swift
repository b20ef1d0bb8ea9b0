/// Where a smaller rectangle lies in a larger one.
public enum CropPosition: Sendable, Equatable {
  /// In the middle; an odd pixel of room is left at the right and at the bottom.
  case centre
  /// At a share of the room there is, each in `0..<1`: uniform numbers there make every offset
  /// equally likely.
  case fraction(x: Double, y: Double)

  /// The offset for `room` spare pixels: one of `0...room`.
  private static func offset(_ fraction: Double, room: Int) -> Int {
    guard fraction >= 0, fraction < 1 else {
      imageMisuse("CropPosition: expected a fraction in 0..<1, found \(fraction)")
    }
    return min(Int(fraction * Double(room + 1)), room)
  }

  func offsets(roomX: Int, roomY: Int) -> (x: Int, y: Int) {
    switch self {
    case .centre: (roomX / 2, roomY / 2)
    case .fraction(let x, let y): (Self.offset(x, room: roomX), Self.offset(y, room: roomY))
    }
  }
}

extension Image {
  /// The rectangle of `width` x `height` pixels whose upper left corner is at `x`, `y`.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    guard x >= 0, y >= 0, width > 0, height > 0, width <= self.width - x, height <= self.height - y
    else {
      imageMisuse(
        "Image.cropped: \(width) x \(height) at \(x), \(y) is outside of "
          + "\(self.width) x \(self.height)")
    }
    var result: [UInt8] = []
    result.reserveCapacity(width * height * channels)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels
      result.append(contentsOf: samples[start..<start + width * channels])
    }
    return Image(width: width, height: height, channels: channels, samples: result)
  }

  /// A rectangle of `width` x `height` pixels at a position.
  public func cropped(width: Int, height: Int, at position: CropPosition = .centre) -> Image {
    guard width <= self.width, height <= self.height else {
      imageMisuse(
        "Image.cropped: \(width) x \(height) is larger than the image, "
          + "\(self.width) x \(self.height)")
    }
    let (x, y) = position.offsets(roomX: self.width - width, roomY: self.height - height)
    return cropped(x: x, y: y, width: width, height: height)
  }

  /// The middle of the image in `width` x `height` pixels, cut where it is larger and with a margin where it is smaller; an
  /// odd pixel of either is at the right and at the bottom.
  public func centred(width: Int, height: Int, background: Color = .black) -> Image {
    let kept = cropped(width: min(width, self.width), height: min(height, self.height))
    if kept.width == width && kept.height == height { return kept }
    var canvas = Image(
      width: width, height: height, filledWith: background.pixel(channels: channels))
    canvas.place(kept, x: (width - kept.width) / 2, y: (height - kept.height) / 2)
    return canvas
  }

  /// The mirror image, left and right exchanged.
  public func flippedHorizontally() -> Image {
    var result: [UInt8] = []
    result.reserveCapacity(samples.count)
    for y in 0..<height {
      for x in (0..<width).reversed() {
        let start = (y * width + x) * channels
        result.append(contentsOf: samples[start..<start + channels])
      }
    }
    return Image(width: width, height: height, channels: channels, samples: result)
  }
}
