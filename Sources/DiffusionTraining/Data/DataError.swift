import DiffusionImages
import Foundation

/// What can be wrong with the files that training reads its pictures from.
public enum DataError: Error, Equatable, Sendable {
  /// A file or a picture that cannot be read.
  case image(ImageError)
  /// A gzip file that is truncated or damaged.
  case damagedCompression(path: String, reason: String)
  /// A file that does not start as an IDX file of bytes.
  case notIDX(path: String, reason: String)
  /// An IDX file whose length is not what its header says.
  case wrongLength(path: String, expected: Int, found: Int)
  /// Pictures and labels that are not equally many.
  case mismatchedCounts(images: String, imageCount: Int, labels: String, labelCount: Int)
  /// A label without a class.
  case unknownLabel(path: String, index: Int, label: Int, classCount: Int)
  /// A folder that cannot be listed, or a folder or manifest with no picture in it.
  case noImages(path: String, reason: String)
  /// A manifest that breaks the rules of its format; `line` counts from 1.
  case malformedManifest(path: String, line: Int, reason: String)
  /// A manifest without a column that was asked for.
  case missingColumn(path: String, column: String, found: [String])
  /// A manifest that names a file that does not exist.
  case missingFile(manifest: String, line: Int, file: String)
}

extension DataError: CustomStringConvertible, LocalizedError {
  /// One line: the path, what was found and what was expected.
  public var description: String {
    switch self {
    case .image(let error):
      error.description
    case .damagedCompression(let path, let reason):
      "\(path): damaged gzip file: \(reason)"
    case .notIDX(let path, let reason):
      "\(path): not an IDX file that can be read here: \(reason)"
    case .wrongLength(let path, let expected, let found):
      "\(path): \(found < expected ? "truncated" : "too long"): its header says \(expected) bytes, "
        + "found \(found)"
    case .mismatchedCounts(let images, let imageCount, let labels, let labelCount):
      "\(labels): \(labelCount) labels for the \(imageCount) images of \(images)"
    case .unknownLabel(let path, let index, let label, let classCount):
      "\(path): label \(label) of image \(index) is outside of the \(classCount) classes"
    case .noImages(let path, let reason):
      "\(path): no images to read: \(reason)"
    case .malformedManifest(let path, let line, let reason):
      "\(path):\(line): \(reason)"
    case .missingColumn(let path, let column, let found):
      "\(path): has no column \"\(column)\"; its columns are "
        + found.map { "\"\($0)\"" }.joined(separator: ", ")
    case .missingFile(let manifest, let line, let file):
      "\(manifest):\(line): names a file that does not exist: \(file)"
    }
  }

  /// The same as `description`.
  public var errorDescription: String? { description }
}
