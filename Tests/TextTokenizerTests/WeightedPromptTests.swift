import TextTokenizer
import Testing

/// The language of weights: the examples in AUTOMATIC1111's documentation of `parse_prompt_attention`, and its rules.
@Suite struct WeightedPromptTests {
  private typealias Part = WeightedPrompt.Part

  /// Prompts with the texts and weights they are read as; a weight of nil stands for BREAK.
  static let cases: [(String, [(String, Double?)])] = [
    // The documented examples, to the last bit.
    ("normal text", [("normal text", 1)]),
    ("an (important) word", [("an ", 1), ("important", 1.1), (" word", 1)]),
    ("(unbalanced", [("unbalanced", 1.1)]),
    (#"\(literal\]"#, [("(literal]", 1)]),
    ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
    (
      "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
      [
        ("a ", 1), ("house", 1.573_000_000_000_000_4), (" ", 1.1), ("on", 1), (" a ", 1.1),
        ("hill", 0.55), (", sun, ", 1.1), ("sky", 1.464_100_000_000_000_6), (".", 1.1),
      ]
    ),
    // The rules.
    ("", []),
    ("[less]", [("less", 1 / 1.1)]),
    ("[less", [("less", 1 / 1.1)]),
    ("a) b]", [("a) b]", 1)]),
    ("(a:1.5", [("a:1.5", 1.1)]),
    ("a:1.5)", [("a:1.5)", 1)]),
    ("[a:1.5]", [("a:1.5", 1 / 1.1)]),
    ("(a: 1.5 )b", [("a", 1.5), ("b", 1)]),
    ("(a:-0.5)(b:+2)(c:.5)", [("a", -0.5), ("b", 2), ("c", 0.5)]),
    ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
    ("(a:x)", [("a:x", 1.1)]),
    (#"(a\)b:2)"#, [("a)b", 2)]),
    (#"c:\\d \x \"#, [(#"c:\d x "#, 1)]),
    ("()[]", []),
    ("a BREAK b", [("a", 1), ("BREAK", nil), ("b", 1)]),
    ("a\nBREAK,b BREAK", [("a", 1), ("BREAK", nil), (",b", 1), ("BREAK", nil)]),
    ("BREAKs aBREAK BREAK_ break", [("BREAKs aBREAK BREAK_ break", 1)]),
    ("BREAK BREAK", [("BREAK", nil), ("BREAK", nil)]),
    ("(a BREAK b:1.5)", [("a", 1.5), ("BREAK", nil), ("b", 1.5)]),
    ("(猫:1.2)と[犬]", [("猫", 1.2), ("と", 1), ("犬", 1 / 1.1)]),
  ]

  @Test func promptsAreReadAsDocumented() {
    for (prompt, expected) in Self.cases {
      let parts = expected.map { text, weight in
        weight.map { Part.text(text, weight: $0) } ?? .chunkBreak
      }
      #expect(WeightedPrompt(parsing: prompt).parts == parts, "\(prompt)")
    }
  }

  @Test func aPlainPromptIsLeftAlone() {
    #expect(WeightedPrompt(plain: "(a:2) BREAK").parts == [.text("(a:2) BREAK", weight: 1)])
  }

  /// Brackets that nest deeply neither overflow the stack nor take quadratic time for their signs.
  @Test func deepNestingIsRead() {
    let prompt = String(repeating: "(", count: 5000) + "a" + String(repeating: ":1)", count: 5000)
    #expect(WeightedPrompt(parsing: prompt).parts == [.text("a", weight: 1)])
  }
}
