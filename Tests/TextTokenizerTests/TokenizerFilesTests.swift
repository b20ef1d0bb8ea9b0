import Foundation
import TestSupport
import TextTokenizer
import Testing

/// Damaged and foreign vocabularies: one clear error each.
@Suite struct TokenizerFilesTests {
  /// Runs with a folder of these files, and answers with what reading `name` of it says.
  private func message(_ files: [String: Data], _ name: String = "") throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (file, data) in files { try data.write(to: folder.appendingPathComponent(file)) }
    let path = name.isEmpty ? folder.path : folder.appendingPathComponent(name).path
    let error = try #require(throws: TokenizerError.self) { try CLIPTokenizer(path: path) }
    let text = error.description
    #expect(!text.contains("\n") && text.contains(folder.path), "\(text)")
    return text
  }

  private func small(_ name: String) throws -> Data {
    try Data(contentsOf: Files.golden.appendingPathComponent(name))
  }

  @Test func whatIsMissingIsNamed() throws {
    #expect(try message([:], "nowhere").contains("no such file or folder"))
    #expect(try message([:]).contains("expected tokenizer.json, or vocab.json and merges.txt"))
    let lonely = ["vocab.json": try small("small_old/vocab.json")]
    #expect(try message(lonely).contains("expected tokenizer.json"))
    #expect(try message(lonely, "vocab.json").contains("merges.txt: cannot be read"))
  }

  @Test func aDamagedListIsRefused() throws {
    let list = try Data(contentsOf: Files.vocabulary)
    #expect(
      try message(["list.gz": list.prefix(list.count / 2)], "list.gz").contains("ends early"))
    #expect(try message(["list.txt": Data("i n\nt h\n".utf8)], "list.txt").contains("found 2"))
    let words = ["list.txt": Data("in\n".utf8)]
    #expect(try message(words, "list.txt").contains("line 1: expected two tokens"))
  }

  @Test func filesThatDoNotGoTogetherAreRefused() throws {
    let vocabulary = try small("small_old/vocab.json")
    let foreign = ["vocab.json": vocabulary, "merges.txt": Data("#version\nq w\n".utf8)]
    #expect(try message(foreign).contains("merge 1: expected the token qw in the vocabulary"))
    let noMarkers = ["vocab.json": Data(#"{"a": 0}"#.utf8), "merges.txt": Data()]
    #expect(try message(noMarkers).contains("start marker: expected the token <|startoftext|>"))
    let text = ["vocab.json": Data(#"{"a": "b"}"#.utf8), "merges.txt": Data()]
    #expect(try message(text).contains("vocab.json: a: expected an object of tokens and ids"))
    let huge = [
      "vocab.json": Data(#"{"a": 4294967296}"#.utf8), "merges.txt": Data(),
    ]
    #expect(try message(huge).contains("token a: expected an id from 0 to 2147483647"))
    let pad = [
      "vocab.json": vocabulary, "merges.txt": Data(),
      "tokenizer_config.json": Data(#"{"pad_token": "<pad>"}"#.utf8),
    ]
    #expect(try message(pad).contains("<pad>"))
  }

  @Test func anotherKindOfTokenizerIsRefused() throws {
    func edited(_ from: String, _ to: String) throws -> [String: Data] {
      let text = String(decoding: try small("small_new/tokenizer.json"), as: UTF8.self)
      let changed = text.replacingOccurrences(of: from, with: to)
      #expect(changed != text)
      return ["tokenizer.json": Data(changed.utf8)]
    }
    #expect(try message(edited("\"BPE\"", "\"Unigram\"")).contains("Unigram"))
    #expect(
      try message(edited("\"end_of_word_suffix\": \"</w>\"", "\"end_of_word_suffix\": \"\""))
        .contains("expected CLIP's byte pairs"))
    #expect(
      try message(edited("\"lstrip\": false", "\"lstrip\": true")).contains("lstrip"))
    #expect(try message(["tokenizer.json": Data("{".utf8)]).contains("tokenizer.json"))
  }
}
