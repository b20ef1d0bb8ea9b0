import FileFormats
import Foundation

extension BytePairVocabulary {
  /// Merges that OpenAI's list counts for: 49,408 tokens less 512 of single bytes and two markers.
  private static let openAIMergeCount = 49152 - 256 - 2

  /// Reads OpenAI's `bpe_simple_vocab_16e6.txt`, gzipped or not.
  ///
  /// - Throws: ``TokenizerError`` where it cannot be read or is too short.
  public init(openAI path: String) throws(TokenizerError) {
    let merges = try Self.openAIMerges(path)
    try self.init(
      ids: Dictionary(zip(Self.openAITokens(merges), 0...), uniquingKeysWith: { $1 }),
      merges: merges, path: path)
  }

  private static func openAIMerges(_ path: String) throws(TokenizerError) -> [(String, String)] {
    var bytes = try Self.bytes(of: path)
    if Gzip.isCompressed(bytes) {
      do {
        bytes = try Gzip.decompress(bytes, maximumSize: 1 << 28)
      } catch {
        throw .file(path: path, problem: "damaged gzip file: \(error.reason)")
      }
    }
    let merges = try Self.merges(of: bytes, limit: Self.openAIMergeCount, path: path)
    guard merges.count == Self.openAIMergeCount else {
      throw .malformed(
        path: path, place: "the list",
        problem: "expected \(Self.openAIMergeCount) merges, found \(merges.count)")
    }
    return merges
  }

  /// Every token, in the order of their ids.
  private static func openAITokens(_ merges: [(String, String)]) -> [String] {
    let alphabet = ByteAlphabet.order.map { String(ByteAlphabet.characters[Int($0)]) }
    return alphabet + alphabet.map { $0 + ByteAlphabet.wordEnd } + merges.map { $0.0 + $0.1 }
      + [startMarker, endMarker]
  }

  /// Writes OpenAI's list as a folder of transformers' `CLIPTokenizer`: `vocab.json`, `merges.txt` and
  /// `tokenizer_config.json`.
  ///
  /// - Parameter pad: the token that fills a text up.
  /// - Throws: ``TokenizerError`` where the list cannot be read or a file not be written.
  public static func writeFolder(
    _ folder: String, openAI path: String, pad: String = endMarker
  ) throws(TokenizerError) {
    let merges = try openAIMerges(path)
    func quoted(_ text: String) -> String {
      let escaped = text.utf8.flatMap { byte in
        [UInt8(ascii: "\""), UInt8(ascii: "\\")].contains(byte)
          ? [UInt8(ascii: "\\"), byte] : [byte]
      }
      return "\"\(String(decoding: escaped, as: UTF8.self))\""
    }
    let vocabulary = openAITokens(merges).enumerated().map { "\(quoted($1)): \($0)" }
    let configuration = [
      ("bos_token", startMarker), ("eos_token", endMarker), ("pad_token", pad),
      ("tokenizer_class", "CLIPTokenizer"), ("unk_token", endMarker),
    ].map { "\(quoted($0)): \(quoted($1))" }
    let files = [
      ("vocab.json", "{\(vocabulary.joined(separator: ", "))}\n"),
      (
        "merges.txt",
        "#version: 0.2\n" + merges.map { "\($0.0) \($0.1)\n" }.joined()
      ),
      (
        "tokenizer_config.json",
        "{\(configuration.joined(separator: ", ")), \"model_max_length\": 77}\n"
      ),
    ]
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for (name, text) in files {
        let url = URL(fileURLWithPath: folder).appendingPathComponent(name)
        try Data(text.utf8).write(to: url, options: .atomic)
      }
    } catch {
      throw .file(path: folder, problem: "cannot be written: \(error.localizedDescription)")
    }
  }

  /// Reads `vocab.json` and `merges.txt`.
  ///
  /// - Throws: ``TokenizerError`` where one cannot be read or they do not go together.
  public init(json: String, merges: String) throws(TokenizerError) {
    let ids = try Self.json([String: Int].self, of: json, expecting: "an object of tokens and ids")
    let pairs = try Self.merges(of: Self.bytes(of: merges), limit: .max, path: merges)
    try self.init(ids: ids, merges: pairs, path: json)
  }

  /// The pairs of a list of merges: two tokens a line; the first line is a comment.
  private static func merges(
    of bytes: [UInt8], limit: Int, path: String
  ) throws(TokenizerError) -> [(String, String)] {
    var result: [(String, String)] = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    {
      if result.count == limit { break }
      if index == 0 && line.starts(with: "#version".utf8) || line.isEmpty || line == [0x0D] {
        continue
      }
      if index == 0 && line.starts(with: "\"bpe_simple_vocab".utf8) { continue }
      let words = line.split(separator: 0x20).map { word in
        String(decoding: word.last == 0x0D ? word.dropLast() : word, as: UTF8.self)
      }
      guard words.count == 2 else {
        throw .malformed(
          path: path, place: "line \(index + 1)",
          problem: "expected two tokens with a space between, found \(words.count)")
      }
      result.append((words[0], words[1]))
    }
    return result
  }

  static func bytes(of path: String) throws(TokenizerError) -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw .file(path: path, problem: "cannot be read: \(error.localizedDescription)")
    }
  }

  static func json<Value: Decodable>(
    _ type: Value.Type, of path: String, expecting: String
  ) throws(TokenizerError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(try bytes(of: path)))
    } catch let error as TokenizerError {
      throw error
    } catch DecodingError.keyNotFound(let key, let context) {
      throw malformed(path, context.codingPath + [key], "expected \(expecting): it is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context)
    {
      throw malformed(
        path, context.codingPath, "expected \(expecting): \(context.debugDescription)")
    } catch {
      throw .malformed(path: path, place: "JSON", problem: "expected \(expecting): \(error)")
    }
  }

  private static func malformed(
    _ path: String, _ keys: [any CodingKey], _ problem: String
  ) -> TokenizerError {
    let place = keys.map(\.stringValue).joined(separator: ".")
    return .malformed(path: path, place: place.isEmpty ? "JSON" : place, problem: problem)
  }
}
