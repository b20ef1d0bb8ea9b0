import Foundation
import TestSupport
import TextTokenizer
import Testing

/// Ids against those of transformers' tokenizer.
@Suite struct CLIPTokenizerTests {
  private func expectIDs(
    _ rows: [Row], _ tokenizer: CLIPTokenizer, _ text: (Row) -> String = \.text
  ) {
    let wrong = rows.filter {
      [tokenizer.vocabulary.startID] + tokenizer.ids(of: text($0))
        + [tokenizer.vocabulary.endID] != $0.ids
    }
    #expect(wrong.isEmpty, "\(wrong.count) of \(rows.count) rows differ")
    for row in wrong.prefix(5) {
      let scalars = text(row).unicodeScalars.map { String($0.value, radix: 16) }
      Issue.record("\(scalars.joined(separator: " ")): \(tokenizer.ids(of: text(row))), \(row.ids)")
    }
  }

  @Test func tenThousandRandomStringsAgree() throws {
    let rows = try Row.read(Files.golden.appendingPathComponent("random.jsonl.gz"))
    #expect(rows.count > 10_000)
    expectIDs(rows, try Files.clip.get())
  }

  /// `small_new` has a tokenizer.json with added tokens, `small_old` the files of older folders.
  @Test(arguments: ["small_new", "small_old"])
  func foldersOfBothAgesAgree(_ name: String) throws {
    let folder = Files.golden.appendingPathComponent(name)
    let tokenizer = try CLIPTokenizer(path: folder.path)
    expectIDs(try Row.read(folder.appendingPathComponent("ids.jsonl")), tokenizer)
    #expect(tokenizer.padID == (name == "small_old" ? 0 : tokenizer.vocabulary.endID))
  }

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func allCleanTextsOfTheSharedGoldenAgree() throws {
    let rows = try Row.read(Files.shared.appendingPathComponent("golden_tokens.jsonl"))
    #expect(rows.count == 4722)
    for name in ["bpe_simple_vocab_16e6.txt.gz", "vocab.json"] {
      let tokenizer = try CLIPTokenizer(path: Files.shared.appendingPathComponent(name).path)
      #expect(tokenizer.vocabulary.ids == (try Files.clip.get()).vocabulary.ids)
      expectIDs(rows, tokenizer) { $0.clean ?? "" }
    }
  }

  /// Every code point within words, alone and under marks, by a hash for each 4,096; every 64th of the planes that have no
  /// characters.
  @Test func everyCodePointAgrees() throws {
    let tokenizer = try Files.clip.get()
    let golden = try String(
      contentsOf: Files.golden.appendingPathComponent("blocks.tsv"), encoding: .utf8)
    let lines = golden.split(separator: "\n")
    #expect(lines.count == 272)
    for line in lines {
      let fields = line.split(separator: "\t")
      let first = try #require(UInt32(fields[0], radix: 16))
      let step = [0, 1, 2, 3, 14].contains(first >> 16) ? 1 : 64
      var text = String.UnicodeScalarView()
      for value in stride(from: first, to: first + 0x1000, by: step) {
        guard let scalar = Unicode.Scalar(value) else { continue }
        text += ["a", scalar, "a", scalar, scalar, "\u{301}", "\u{323}", " "]
      }
      let ids = tokenizer.ids(of: String(text))
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for id in ids {
        for byte in 0..<4 { hash = (hash ^ UInt64(id >> (8 * byte) & 0xFF)) &* 0x100_0000_01B3 }
      }
      #expect(ids.count == Int(fields[1]), "from U+\(fields[0])")
      #expect(hash == UInt64(fields[2], radix: 16), "from U+\(fields[0])")
    }
  }

  /// Stable Diffusion 2 pads with "!", which is then found as a token of its own, whatever stands before it.
  @Test func aPadTokenIsAnAddedToken() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(
      at: Files.golden.appendingPathComponent("small_new/tokenizer.json"),
      to: folder.appendingPathComponent("tokenizer.json"))
    try Data(#"{"pad_token": "!"}"#.utf8).write(
      to: folder.appendingPathComponent("tokenizer_config.json"))
    let ids = try CLIPTokenizer(path: folder.path).encode("hello! x", length: 12)
    #expect(ids == [811, 71, 543, 75, 333, 0, 342, 812, 0, 0, 0, 0])
  }
}
