import DiffusionImages
import FileFormats

/// The contents of an IDX file of bytes, the format of MNIST (LeCun, Cortes and Burges 1998), plain
/// or gzip.
public struct IDXArray: Sendable, Equatable {
  /// The extents, slowest first.
  public let shape: [Int]
  /// The elements, row-major.
  public let bytes: [UInt8]

  /// Reads a file; a gzip file is known by its first bytes and not by its name.
  ///
  /// - Throws: `DataError` where the file is missing, damaged, of another format, truncated or too
  ///   long.
  public init(reading path: String) throws(DataError) {
    let stored: [UInt8]
    do throws(ImageError) {
      stored = try FileBytes.read(path)
    } catch {
      throw .image(error)
    }
    let contents: [UInt8]
    do throws(Gzip.Fault) {
      contents = Gzip.isCompressed(stored) ? try Gzip.decompress(stored) : stored
    } catch {
      throw .damagedCompression(path: path, reason: error.reason)
    }
    guard contents.count >= 4, contents[0] == 0, contents[1] == 0 else {
      throw .notIDX(path: path, reason: "it does not start with two zero bytes, type and rank")
    }
    guard contents[2] == 0x08 else {
      let code = String(contents[2], radix: 16)
      throw .notIDX(
        path: path, reason: "its elements have type 0x\(code), only 0x8 (bytes) is read")
    }
    let rank = Int(contents[3])
    let start = 4 + 4 * rank
    guard rank > 0 else { throw .notIDX(path: path, reason: "it has no dimensions") }
    guard contents.count >= start else {
      throw .wrongLength(path: path, expected: start, found: contents.count)
    }
    shape = (0..<rank).map { axis in
      contents[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
    }
    var count = 1
    for extent in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      guard !overflows, product < Int.max - start else {
        throw .notIDX(path: path, reason: "its extents \(shape) are absurd")
      }
      count = product
    }
    guard contents.count == start + count else {
      throw .wrongLength(path: path, expected: start + count, found: contents.count)
    }
    bytes = Array(contents[start...])
  }
}
