import Foundation
import TestSupport
import TextTokenizer
import Testing

/// OpenAI's cleaning.
@Suite struct TextCleaningTests {
  /// Texts with what ftfy 6.3.1, `html.unescape` twice, white space and `lower` make of them.
  static let cases = [
    ("it’s “quoted” — dash…", "it's \"quoted\" — dash…"),
    ("&amp; &lt;b&gt; &#39;x&#39; &eacute; &amp;amp;", "& <b> 'x' é &"),
    ("&ampx &copy2 &notit; &nosuch; & &; &#; &#x;", "&x ©2 ¬it; &nosuch; & &; &#; &#x;"),
    ("&#x41;&#66 &#128; &#0; &#xD800;", "ab € \u{FFFD} \u{FFFD}"),
    ("\u{85}\u{93}x\u{94}", "…\"x\""),
    ("\u{FEFF}bom nul\u{0}char\u{1B}[1;31mred", "bom nulcharred"),
    ("ﬁ ﬀ Ĳ ǅ", "fi ff ij dž"),
    ("full\u{3000}ＡＢＣ１２３ ｶﾞ", "full abc123 ガ"),
    (" \t A\r\n\u{2028} B \u{A0}", "a b"),
    ("ΟΔΟΣ ΣΑΣ. Σ Ι\u{307}Σ İ", "οδος σας. σ ι\u{307}ς i\u{307}"),
  ]

  @Test(arguments: cases)
  func textsAreCleaned(_ text: String, _ expected: String) {
    let cleaned = TextCleaning.openAI.cleaned(text)
    expectSame(Array(cleaned.unicodeScalars), Array(expected.unicodeScalars), text)
    #expect(TextCleaning.none.cleaned(text) == text)
  }

  /// The rows that need ftfy's repair of text that was decoded by the wrong code page: what each starts with.
  static let unrepaired = [
    "mojibake: schÃ¶n", "7ßy5xßÆу글#t", "jtlFf\tB\nñ9!本8nñ글(dzÆ", "уmj ?5 hс🦊ñ글(ßÆ5",
  ]

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func sharedTextsGiveOpenAIsIDs() throws {
    let rows = try Row.read(Files.shared.appendingPathComponent("golden_tokens.jsonl"))
    var tokenizer = try Files.clip.get()
    tokenizer.cleaning = .openAI
    let wrong = rows.filter {
      [tokenizer.vocabulary.startID] + tokenizer.ids(of: $0.text)
        + [tokenizer.vocabulary.endID] != $0.ids
    }
    #expect(rows.count == 4722 && wrong.count == Self.unrepaired.count)
    for (row, start) in zip(wrong, Self.unrepaired) {
      #expect(row.text.unicodeScalars.starts(with: start.unicodeScalars), "\(row.text)")
    }
  }
}
