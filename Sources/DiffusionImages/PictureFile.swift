/// A picture file of any format that is read: PNG, JPEG or WebP, as its first bytes say.
///
/// The picture stands upright: the orientation of an EXIF block is applied. Samples of 16 bits become
/// `round(v / 257)`, palettes RGB, CMYK RGB. Colour profiles and gamma are not applied: samples are
/// taken for sRGB, as the reference implementations of diffusion models take them.
public struct PictureFile: Sendable, Equatable {
  /// What the file is.
  public let format: PictureFormat
  /// The picture, upright.
  public let image: Image
  /// Texts by keyword: PNG's text chunks, and from EXIF blocks `parameters` (the user comment, where
  /// AUTOMATIC1111's web UI puts them), `prompt` and `workflow` (maker and model, where ComfyUI does).
  public let text: [String: String]

  /// Reads a file.
  ///
  /// - Throws: `ImageError` where the file is missing, of no format that is read, damaged or beyond
  ///   the limits.
  public init(reading path: String, limits: PictureLimits = PictureLimits()) throws(ImageError) {
    try self.init(bytes: try FileBytes.read(path), path: path, limits: limits)
  }

  /// Reads a file that is in memory already; `path` is what errors call it.
  public init(
    bytes: [UInt8], path: String = "(memory)", limits: PictureLimits = PictureLimits()
  ) throws(ImageError) {
    guard let format = PictureFormat(beginning: bytes) else { throw .unknownFormat(path: path) }
    self.format = format
    let (stored, exif): (Image, EXIF)
    var chunks: [String: String] = [:]
    switch format {
    case .png:
      let decoded = try PNGDecoder(path: path, limits: limits).decode(bytes, as: UInt8.self)
      stored = Image(
        width: decoded.width, height: decoded.height, channels: decoded.channels,
        samples: decoded.samples)
      (exif, chunks) = (decoded.exif, decoded.text)
    case .jpeg: (stored, exif) = try JPEGDecoder(path: path, limits: limits).decode(bytes)
    case .webp: (stored, exif) = try WebPDecoder(path: path, limits: limits).decode(bytes)
    }
    image = exif.orientation.upright(stored)
    text = chunks.merging(exif.text) { own, _ in own }
  }
}

extension Image {
  /// Reads a picture of any format that is read, upright; with a background, an alpha channel is
  /// composited over it and gone.
  ///
  /// - Throws: as `PictureFile.init(reading:limits:)`.
  public init(
    reading path: String, over background: Color? = nil, limits: PictureLimits = PictureLimits()
  ) throws(ImageError) {
    let image = try PictureFile(reading: path, limits: limits).image
    self = background.map { image.composited(over: $0) } ?? image
  }
}
