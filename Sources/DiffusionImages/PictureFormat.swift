/// The formats of pictures that are read, told apart by how a file begins and never by its name.
public enum PictureFormat: String, Sendable, CaseIterable {
  /// Portable Network Graphics (W3C).
  case png = "PNG"
  /// JPEG (ITU-T T.81), baseline and progressive.
  case jpeg = "JPEG"
  /// WebP (RFC 9649), lossy and lossless.
  case webp = "WebP"

  /// The format of a file; nil where it begins like none.
  public init?(beginning bytes: [UInt8]) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.count >= 12, bytes[..<4].elementsEqual("RIFF".utf8),
      bytes[8..<12].elementsEqual("WEBP".utf8)
    {
      self = .webp
    } else {
      return nil
    }
  }

  /// The ends of file names that are usual for the formats, in lower case.
  public static let endings = ["png", "jpg", "jpeg", "webp"]
}
