import DiffusionImages

/// A picture that others are drawn from: one to change, to paint into, or to enlarge.
public struct PictureInput: Sendable {
  /// The picture; what is transparent is white.
  public var image: Image
  /// How far to leave it, above 0 to 1: the share of the noise, and so of the steps (Meng et al. 2021, section 3). Enlarging does
  /// not look at it.
  public var strength: Double
  /// What is painted anew; `nil` for all of it.
  public var mask: PaintMask?
  /// The timestep whose noise a small picture gets before it is enlarged, for models that enlarge.
  public var noiseLevel: Int

  /// A picture and what is done with it.
  public init(
    _ image: Image, strength: Double = 0.8, mask: PaintMask? = nil, noiseLevel: Int = 20
  ) {
    self.image = image
    self.strength = strength
    self.mask = mask
    self.noiseLevel = noiseLevel
  }
}

/// Which part of a picture is painted anew.
public struct PaintMask: Sendable {
  /// White is painted anew, black stays; brought to the picture's size where it has another one.
  public var image: Image
  /// The standard deviation in pixels of a blur of the mask, whose soft edge the result is blended with.
  public var blur: Double
  /// Where given, only the masked area is drawn, with so many pixels around it, enlarged to the size that is asked for and put
  /// back.
  public var areaPadding: Int?
  /// Whether what the mask leaves is the original's pixels, and not what the autoencoder makes of them.
  public var keepsOriginal: Bool

  /// A mask.
  public init(
    _ image: Image, blur: Double = 0, areaPadding: Int? = nil, keepsOriginal: Bool = true
  ) {
    self.image = image
    self.blur = blur
    self.areaPadding = areaPadding
    self.keepsOriginal = keepsOriginal
  }
}
