import DiffusionImages
import TensorCore

/// How pictures of any size become pictures of one size and kind, with chance variation where asked
/// for. The chance comes from outside: the same draws give the same picture.
public struct ImagePreparation: Sendable, Equatable {
  /// How a picture comes to its size.
  public enum Fit: Sendable, Equatable {
    /// Resized to exactly the size, whatever the proportion.
    case stretch
    /// Resized to the smallest size that covers the target in the picture's proportion (for a
    /// square target: by the shorter side); the middle is kept.
    case centreCrop
    /// Resized as for `centreCrop`, times `oversize` (1 or more); a piece by chance is kept.
    case randomCrop(oversize: Double)
  }

  /// The chance numbers that one picture takes, each uniform in `0..<1`.
  public struct Draws: Sendable, Equatable {
    /// Where a random crop lies across.
    public var cropX: Double
    /// Where a random crop lies down.
    public var cropY: Double
    /// Flipped where it is below `flipProbability`.
    public var flip: Double

    /// Draws of the given values.
    public init(cropX: Double, cropY: Double, flip: Double) {
      self.cropX = cropX
      self.cropY = cropY
      self.flip = flip
    }

    /// Draws from a generator, three numbers in the order of the properties.
    public init(using generator: inout some RandomNumberGenerator) {
      cropX = Self.uniform(generator.next())
      cropY = Self.uniform(generator.next())
      flip = Self.uniform(generator.next())
    }

    /// The upper 53 bits as a number in `0..<1`.
    private static func uniform(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }
  }

  /// The width of the result, in pixels.
  public var width: Int
  /// The height of the result, in pixels.
  public var height: Int
  /// The channels of the result, 1 to 4, as in `Image`.
  public var channels: Int
  /// What shows through where the picture has alpha and the result has none.
  public var background: Color
  /// How a picture comes to its size.
  public var fit: Fit
  /// The kernel of resizing.
  public var filter: ResizeFilter
  /// The chance of left and right being exchanged, `0...1`.
  public var flipProbability: Double

  /// A preparation of the given kind.
  public init(
    width: Int, height: Int, channels: Int, background: Color = .white, fit: Fit = .centreCrop,
    filter: ResizeFilter = .lanczos, flipProbability: Double = 0
  ) {
    guard width > 0, height > 0, (1...4).contains(channels), (0...1).contains(flipProbability)
    else {
      misuse(
        "ImagePreparation",
        "width \(width), height \(height), channels \(channels), flip \(flipProbability)"
          + ": sizes are above 0, channels 1 to 4, and the chance of a flip 0 to 1")
    }
    if case .randomCrop(let oversize) = fit, !(oversize >= 1 && oversize.isFinite) {
      misuse(
        "ImagePreparation",
        "randomCrop(oversize: \(oversize))"
          + ": the oversize is 1 or more")
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.background = background
    self.fit = fit
    self.filter = filter
    self.flipProbability = flipProbability
  }

  /// The same without chance: the middle is kept and nothing is flipped. For validation.
  public var withoutChance: ImagePreparation {
    var copy = self
    if case .randomCrop = fit { copy.fit = .centreCrop }
    copy.flipProbability = 0
    return copy
  }

  /// The picture in the result's size and channels: composited, resized, cropped, flipped.
  public func apply(to image: Image, draws: Draws) -> Image {
    let converted = image.converted(toChannels: channels, over: background)
    let sized =
      switch fit {
      case .stretch:
        converted.resized(width: width, height: height, filter: filter)
      case .centreCrop:
        covering(converted, oversize: 1).cropped(width: width, height: height)
      case .randomCrop(let oversize):
        covering(converted, oversize: oversize).cropped(
          width: width, height: height, at: .fraction(x: draws.cropX, y: draws.cropY))
      }
    return draws.flip < flipProbability ? sized.flippedHorizontally() : sized
  }

  /// The smallest picture in the same proportion that covers the target, times the oversize.
  private func covering(_ image: Image, oversize: Double) -> Image {
    let scaleX = Double(width) / Double(image.width)
    let scaleY = Double(height) / Double(image.height)
    let scale = max(scaleX, scaleY) * oversize
    return image.resized(
      width: max(width, Int((Double(image.width) * scale).rounded())),
      height: max(height, Int((Double(image.height) * scale).rounded())), filter: filter)
  }
}
