import FileFormats
import Foundation
import TestSupport
import TextTokenizer

/// A text with the ids that the reference gives it.
struct Row: Decodable {
  let text: String
  let ids: [Int]
  var clean: String?

  /// The rows of a file of JSON lines, gzipped or not.
  static func read(_ url: URL) throws -> [Row] {
    var bytes = [UInt8](try Data(contentsOf: url))
    if Gzip.isCompressed(bytes) { bytes = try Gzip.decompress(bytes) }
    return try bytes.split(separator: 0x0A).map {
      try JSONDecoder().decode(Row.self, from: Data($0))
    }
  }
}

/// Tokenizers and files of the tests.
enum Files {
  static let golden = Shared.golden.appendingPathComponent("tokens")
  static let shared = Shared.folder.appendingPathComponent("data/clip-bpe")
  static let vocabulary = Shared.package.appendingPathComponent(
    "Sources/DiffusionPipelines/Resources/bpe_simple_vocab_16e6.txt.gz")

  /// CLIP's tokenizer, from the vocabulary that comes with the engine.
  static let clip = Result { try CLIPTokenizer(path: vocabulary.path) }
}
