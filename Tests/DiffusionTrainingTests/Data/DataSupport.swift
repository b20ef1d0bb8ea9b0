import DiffusionImages
import DiffusionTraining
import Foundation

/// A folder of a test's own, gone when the test is.
final class DataFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("data-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a file, with the folders it is in; answers with its path.
  @discardableResult func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file.path
  }

  @discardableResult func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  /// Writes a picture whose samples are all `value`.
  @discardableResult func writePNG(
    _ value: UInt8, width: Int = 4, height: Int = 3, channels: Int = 3, to name: String
  ) throws -> String {
    let pixel = [UInt8](repeating: value, count: channels)
    return try write(
      PNGFile(image: Image(width: width, height: height, filledWith: pixel)).encoded(), to: name)
  }
}

/// An IDX file of bytes.
func idx(_ shape: [Int], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
  let extents = shape.flatMap { extent in
    (0..<4).map { UInt8(truncatingIfNeeded: extent >> (24 - 8 * $0)) }
  }
  return [0, 0, type, UInt8(shape.count)] + extents + elements
}

/// A gzip file that stores its contents as they are (RFC 1951, 3.2.4; RFC 1952).
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  func littleEndian(_ value: Int, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  var checksum: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    checksum ^= UInt32(byte)
    for _ in 0..<8 {
      checksum = checksum & 1 == 1 ? 0xEDB8_8320 ^ (checksum >> 1) : checksum >> 1
    }
  }
  var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  file += [1] + littleEndian(bytes.count, count: 2) + littleEndian(~bytes.count, count: 2) + bytes
  return file + littleEndian(Int(~checksum), count: 4) + littleEndian(bytes.count, count: 4)
}
