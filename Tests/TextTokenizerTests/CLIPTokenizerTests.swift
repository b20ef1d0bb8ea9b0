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
}
