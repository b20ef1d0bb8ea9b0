/// The contents of a PNG file: a picture, and texts by keyword.
///
/// Read are all colour types and bit depths, interlaced or not; palettes become RGB, and a
/// transparent colour becomes an alpha channel. Written are grey, grey and alpha, RGB and RGB and
/// alpha, 8 bits each. (Portable Network Graphics, third edition, W3C 2025.)
public struct PNGFile: Sendable, Equatable {
  /// The picture.
  public var image: Image
  /// The text chunks (`tEXt`, `zTXt`, `iTXt`). A keyword that a file has more than once has its
  /// texts here joined by line breaks, in the file's order.
  public var text: [String: String]

  /// A file yet to be written.
  public init(image: Image, text: [String: String] = [:]) {
    self.image = image
    self.text = text
  }

  /// Reads a file.
  ///
  /// - Throws: `ImageError` where the file is missing, not a PNG, damaged or beyond the limits.
  public init(reading path: String, limits: PictureLimits = PictureLimits()) throws(ImageError) {
    try self.init(bytes: try FileBytes.read(path), path: path, limits: limits)
  }

  /// Reads a file that is in memory already; `path` is what errors call it.
  public init(
    bytes: [UInt8], path: String = "(memory)", limits: PictureLimits = PictureLimits()
  ) throws(ImageError) {
    let decoded = try PNGDecoder(path: path, limits: limits).decode(bytes, as: UInt8.self)
    image = Image(
      width: decoded.width, height: decoded.height, channels: decoded.channels,
      samples: decoded.samples)
    text = decoded.text
  }

  /// The bytes of the file.
  ///
  /// Texts within Latin-1 are `tEXt` chunks, others `iTXt`, in the order of their keywords.
  ///
  /// - Parameters:
  ///   - compressingText: writes `zTXt` and compressed `iTXt` instead, which fewer programs read.
  ///   - path: what errors call the file.
  /// - Throws: `ImageError.invalidText` for a keyword or a text that PNG has no room for.
  public func encoded(
    compressingText: Bool = false, path: String = "(memory)"
  ) throws(ImageError) -> [UInt8] {
    try PNGEncoder(path: path, compressesText: compressingText).encode(image, text: text)
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `ImageError.invalidText` as `encoded`, `ImageError.unwritable` where the path cannot
  ///   be written; whatever was at `path` before is still there then.
  public func write(to path: String, compressingText: Bool = false) throws(ImageError) {
    let bytes = try encoded(compressingText: compressingText, path: path)
    try AtomicFile.write(bytes, to: path)
  }
}

extension Image {
  /// Reads a PNG file; with a background, an alpha channel is composited over it and gone.
  ///
  /// - Throws: as `PNGFile.init(reading:limits:)`.
  public init(
    png path: String, over background: Color? = nil, limits: PictureLimits = PictureLimits()
  ) throws(ImageError) {
    let image = try PNGFile(reading: path, limits: limits).image
    self = background.map { image.composited(over: $0) } ?? image
  }

  /// Writes a PNG file, whole or not at all.
  ///
  /// - Throws: as `PNGFile.write(to:compressingText:)`.
  public func writePNG(to path: String, text: [String: String] = [:]) throws(ImageError) {
    try PNGFile(image: self, text: text).write(to: path)
  }
}

extension DeepImage {
  /// Reads a PNG file with 16 bits a sample; of shallower files, `v * 257`.
  ///
  /// - Throws: as `PNGFile.init(reading:limits:)`.
  public init(png path: String, limits: PictureLimits = PictureLimits()) throws(ImageError) {
    let bytes = try FileBytes.read(path)
    let decoded = try PNGDecoder(path: path, limits: limits).decode(bytes, as: UInt16.self)
    self.init(
      width: decoded.width, height: decoded.height, channels: decoded.channels,
      samples: decoded.samples)
  }
}
