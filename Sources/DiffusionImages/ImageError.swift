import Foundation

/// What can be wrong with the files that this module reads and writes.
public enum ImageError: Error, Equatable, Sendable {
  /// The file cannot be opened or read.
  case unreadable(path: String, reason: String)
  /// The file cannot be written; nothing is left at `path` that was not there before.
  case unwritable(path: String, reason: String)
  /// The file does not start with PNG's signature.
  case notPNG(path: String)
  /// The file starts as none of the formats that are read.
  case unknownFormat(path: String)
  /// The file starts as one of a format, and is truncated, damaged or against the specification.
  case damaged(path: String, format: PictureFormat, reason: String)
  /// The file is of a kind that its format has and that is not read.
  case unsupported(path: String, format: PictureFormat, reason: String)
  /// The file says that it holds a larger picture than the limits allow.
  case tooLarge(path: String, width: Int, height: Int, limits: PictureLimits)
  /// A text chunk cannot be written.
  case invalidText(path: String, keyword: String, reason: String)
  /// A picture cannot be encoded.
  case unencodable(path: String, reason: String)

  /// The file that the error is about.
  public var path: String {
    switch self {
    case .unreadable(let path, _), .unwritable(let path, _), .notPNG(let path),
      .unknownFormat(let path), .damaged(let path, _, _), .unsupported(let path, _, _),
      .tooLarge(let path, _, _, _), .invalidText(let path, _, _),
      .unencodable(let path, _):
      path
    }
  }
}

extension ImageError: CustomStringConvertible, LocalizedError {
  /// One line: the path, what was found and what was expected.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason)"
    case .notPNG(let path):
      "\(path): not a PNG file: its first eight bytes are not PNG's signature"
    case .unknownFormat(let path):
      "\(path): not a picture that is read: it begins as none of "
        + PictureFormat.allCases.map(\.rawValue).joined(separator: ", ")
    case .damaged(let path, let format, let reason):
      "\(path): damaged \(format.rawValue) file: \(reason)"
    case .unsupported(let path, let format, let reason):
      "\(path): \(format.rawValue) file of a kind that is not read: \(reason)"
    case .tooLarge(let path, let width, let height, let limits):
      "\(path): says it is \(width) x \(height) pixels; at most \(limits.maximumSide) a side and "
        + "\(limits.maximumPixels) in all are read"
    case .invalidText(let path, let keyword, let reason):
      "\(path): text chunk \"\(keyword)\" cannot be written: \(reason)"
    case .unencodable(let path, let reason):
      "\(path): cannot be encoded as PNG: \(reason)"
    }
  }

  /// The same as `description`.
  public var errorDescription: String? { description }
}
