import DiffusionImages
import Foundation
import TestSupport

/// A folder of a test's own, gone when the test is.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("images-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }
}

/// A picture whose samples are a fixed pattern.
func pattern(width: Int, height: Int, channels: Int, seed: Int = 1) -> Image {
  let samples = (0..<width * height * channels).map {
    UInt8(($0 * 73 + seed * 131 + $0 / 7 * 19) % 256)
  }
  return Image(width: width, height: height, channels: channels, samples: samples)
}

/// The rows of a committed table, without its heading line.
func rows(of file: URL) throws -> [[String]] {
  try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
}

/// Width and height.
func size(_ image: Image) -> [Int] { [image.width, image.height] }
