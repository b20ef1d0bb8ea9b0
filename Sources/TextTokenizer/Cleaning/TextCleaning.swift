/// What is done to a text before it is tokenized.
public enum TextCleaning: String, Sendable, Codable, CaseIterable {
  /// Nothing, as transformers does.
  case none
  /// As OpenAI's own tokenizer does: ftfy's repairs, HTML unescaped twice, white space collapsed, lower case.
  ///
  /// Of ftfy's repairs these are done: HTML entities, C1 controls read as Windows-1252, ligatures of Latin, full-width
  /// letters and half-width katakana, straight quotes, terminal escapes and control characters removed. Text that was
  /// decoded by the wrong code page ("schÃ¶n") is not repaired.
  case openAI

  /// The cleaned text.
  public func cleaned(_ text: String) -> String {
    switch self {
    case .none: text
    case .openAI: OpenAICleaning.cleaned(text)
    }
  }
}

/// `basic_clean`, `whitespace_clean` and `lower` of openai/CLIP's simple_tokenizer.py.
enum OpenAICleaning {
  static func cleaned(_ text: String) -> String {
    var scalars = repaired(text.scalarValues)
    for _ in 0..<2 { scalars = HTMLEntities.unescaped(scalars) }
    return String(scalarValues: lowered(collapsed(scalars)))
  }

  /// ftfy's `fix_text` (6.3) without its repair of wrongly decoded text.
  private static func repaired(_ given: [UInt32]) -> [UInt32] {
    let hasTags = given.contains(0x3C)
    let text = hasTags ? given : HTMLEntities.unescaped(given, needsSemicolon: true)
    var result: [UInt32] = []
    var offset = 0
    while offset < text.count {
      if let length = terminalEscape(text[offset...]) {
        offset += length
      } else {
        result += repaired(text[offset])
        offset += 1
      }
    }
    return CanonicalComposition.normalized(result)
  }

  private static func repaired(_ scalar: UInt32) -> [UInt32] {
    switch scalar {
    case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: []
    case 0x80...0x9F: repairedQuote(Windows1252.scalar(scalar))
    case 0x3000: [0x20]
    case 0xFF01...0xFF5E: [scalar - 0xFEE0]
    case 0xFF61...0xFF9F: [katakana[Int(scalar - 0xFF61)]]
    default: ligatures[scalar] ?? repairedQuote(scalar)
    }
  }

  private static func repairedQuote(_ scalar: UInt32) -> [UInt32] {
    switch scalar {
    case 0x02BC, 0x2018...0x201B: [0x27]
    case 0x201C...0x201F: [0x22]
    default: [scalar]
    }
  }

  private static let ligatures: [UInt32: [UInt32]] = [
    0x132: "IJ", 0x133: "ij", 0x149: "\u{2BC}n", 0x1C4: "D\u{17D}", 0x1C5: "D\u{17E}",
    0x1C6: "d\u{17E}", 0x1C7: "LJ", 0x1C8: "Lj", 0x1C9: "lj", 0x1CA: "NJ", 0x1CB: "Nj",
    0x1CC: "nj", 0x1F1: "DZ", 0x1F2: "Dz", 0x1F3: "dz", 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl",
    0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "\u{17F}t", 0xFB06: "st",
  ].mapValues { $0.scalarValues.flatMap(repairedQuote) }

  /// U+FF61 to U+FF9F at full width; the two voicing marks are combining ones.
  private static let katakana =
    ("。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
    + "\u{3099}\u{309A}").scalarValues

  /// The length of `ESC [ numbers letter` at the start.
  private static func terminalEscape(_ text: ArraySlice<UInt32>) -> Int? {
    guard text.starts(with: [0x1B, 0x5B]) else { return nil }
    let numbers = text.dropFirst(2).prefix { (0x30...0x39).contains($0) || $0 == 0x3B }
    guard let letter = text.dropFirst(2 + numbers.count).first,
      (0x41...0x5A).contains(letter) || (0x61...0x7A).contains(letter)
    else { return nil }
    return 3 + numbers.count
  }

  /// Runs of white space as one space, none at the ends.
  private static func collapsed(_ text: [UInt32]) -> [UInt32] {
    let table = UnicodeProperties.table
    func isSpace(_ scalar: UInt32) -> Bool {
      table.kind(scalar) == .space || (0x1C...0x1F).contains(scalar)
    }
    return Array(text.split(whereSeparator: isSpace).joined(separator: [0x20]))
  }

  /// Python's `str.lower`: by code points, but for a sigma at the end of a word.
  private static func lowered(_ text: [UInt32]) -> [UInt32] {
    let table = UnicodeProperties.table
    return text.indices.flatMap { index -> [UInt32] in
      if text[index] == 0x3A3, isFinal(text, index) { return [0x3C2] }
      if text[index] == 0x130 { return [0x69, 0x307] }
      return [table.lower(text[index]) ?? text[index]]
    }
  }

  /// The Unicode Standard's Final_Sigma: a letter with case before, none behind, skipping what case ignores.
  private static func isFinal(_ text: [UInt32], _ index: Int) -> Bool {
    func isCased(_ scalars: some Sequence<UInt32>) -> Bool {
      let properties = scalars.lazy.compactMap { Unicode.Scalar($0)?.properties }
      return properties.first { !$0.isCaseIgnorable }?.isCased ?? false
    }
    return isCased(text[..<index].reversed()) && !isCased(text[(index + 1)...])
  }
}
