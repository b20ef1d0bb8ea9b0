/// An opaque colour of three 8-bit samples.
public struct Color: Sendable, Equatable {
  /// Red, `0...255`.
  public var red: UInt8
  /// Green, `0...255`.
  public var green: UInt8
  /// Blue, `0...255`.
  public var blue: UInt8

  /// A colour of the given samples.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// A grey of the given sample.
  public init(grey: UInt8) {
    self.init(red: grey, green: grey, blue: grey)
  }

  /// `(0, 0, 0)`.
  public static let black = Color(grey: 0)
  /// `(255, 255, 255)`.
  public static let white = Color(grey: 255)

  /// True where the three samples are equal.
  public var isGrey: Bool { red == green && green == blue }

  /// The luma of ITU-R BT.601, `0.299 R + 0.587 G + 0.114 B`, rounded.
  public var luma: UInt8 {
    // The three weights times 2^16, which add up to 2^16.
    let half: UInt32 = 1 << 15
    let sum: UInt32 = UInt32(red) * 19_595 + UInt32(green) * 38_470 + UInt32(blue) * 7_471
    return UInt8((sum + half) >> 16)
  }

  /// The colour as a pixel of an image of `channels` channels, with full alpha where there is one.
  func pixel(channels: Int) -> [UInt8] {
    switch channels {
    case 1: [luma]
    case 2: [luma, 255]
    case 3: [red, green, blue]
    default: [red, green, blue, 255]
    }
  }
}
