/// A prompt whose words have weights, in the language of AUTOMATIC1111's web UI (its `parse_prompt_attention`).
///
/// | written | read as |
/// |---|---|
/// | `(words)` | weight times 1.1 |
/// | `[words]` | weight divided by 1.1 |
/// | `(words:1.3)` | weight times 1.3 |
/// | `\(` `\)` `\[` `\]` `\\` | the character itself |
/// | `BREAK` | a new chunk starts |
///
/// Brackets nest, and their weights multiply. One that is never closed reaches to the end; one that was never opened is
/// text, and so is a weight that is no number.
public struct WeightedPrompt: Sendable, Hashable {
  /// A stretch of a prompt.
  public enum Part: Sendable, Hashable {
    /// Text of one weight, never empty.
    case text(String, weight: Double)
    /// The next text starts a new chunk.
    case chunkBreak
  }

  /// In order; neighbouring texts of equal weight are one.
  public let parts: [Part]

  /// Takes the prompt as it is: brackets are text.
  public init(plain prompt: String) {
    parts = prompt.isEmpty ? [] : [.text(prompt, weight: 1)]
  }

  /// Reads the language. Every text is a prompt, so nothing is refused.
  public init(parsing prompt: String) {
    var reader = PromptReader(prompt)
    parts = reader.parts()
  }
}

/// Reads the language in one pass over the code points.
private struct PromptReader {
  private enum Entry {
    case text([UInt32], weight: Double)
    case chunkBreak
  }

  private enum Sign {
    static let (open, close, openSquare, closeSquare): (UInt32, UInt32, UInt32, UInt32) =
      (0x28, 0x29, 0x5B, 0x5D)
    static let (backslash, colon): (UInt32, UInt32) = (0x5C, 0x3A)
    static let all: Set<UInt32> = [open, close, openSquare, closeSquare, backslash, colon]
  }

  private static let increase = 1.1
  private static let decrease = 1 / 1.1
  private static let chunkBreak = "BREAK".scalarValues

  private let text: [UInt32]
  private var offset = 0
  private var entries: [Entry] = []
  /// Where in `entries` the open brackets start.
  private var round: [Int] = []
  private var square: [Int] = []

  init(_ prompt: String) { text = prompt.scalarValues }

  mutating func parts() -> [WeightedPrompt.Part] {
    while offset < text.count { readNext() }
    for start in round { multiply(from: start, by: Self.increase) }
    for start in square { multiply(from: start, by: Self.decrease) }
    return merged()
  }

  private mutating func readNext() {
    let sign = text[offset]
    offset += 1
    switch sign {
    case Sign.backslash:
      guard offset < text.count, Sign.all.contains(text[offset]), text[offset] != Sign.colon else {
        return append([])
      }
      append([text[offset]])
      offset += 1
    case Sign.open: round.append(entries.count)
    case Sign.openSquare: square.append(entries.count)
    case Sign.colon: readWeight()
    case Sign.close: close(round.popLast(), by: Self.increase, sign)
    case Sign.closeSquare: close(square.popLast(), by: Self.decrease, sign)
    default:
      let start = offset - 1
      while offset < text.count, !Sign.all.contains(text[offset]) { offset += 1 }
      appendText(text[start..<offset])
    }
  }

  /// Ends the bracket that starts at `start`; without one the sign is text.
  private mutating func close(_ start: Int?, by factor: Double, _ sign: UInt32) {
    if let start { multiply(from: start, by: factor) } else { append([sign]) }
  }

  /// Behind a colon: `1.3)` ends the innermost round bracket, anything else leaves the colon as text.
  private mutating func readWeight() {
    func isSpace(_ scalar: UInt32) -> Bool { UnicodeProperties.table.kind(scalar) == .space }
    let rest = text[offset...].drop(while: isSpace)
    let number = rest.prefix { (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0) }
    let behind = text[number.endIndex...].drop(while: isSpace)
    guard behind.first == Sign.close, let weight = Double(String(scalarValues: number)),
      let start = round.popLast()
    else { return append([Sign.colon]) }
    offset = behind.startIndex + 1
    multiply(from: start, by: weight)
  }

  private mutating func multiply(from start: Int, by factor: Double) {
    for index in start..<entries.count {
      if case .text(let text, let weight) = entries[index] {
        entries[index] = .text(text, weight: weight * factor)
      }
    }
  }

  private mutating func append(_ text: [UInt32]) { entries.append(.text(text, weight: 1)) }

  /// Appends text, cut at every BREAK that stands as a word; white space around one goes.
  private mutating func appendText(_ text: ArraySlice<UInt32>) {
    let table = UnicodeProperties.table
    func isWord(_ index: Int) -> Bool {
      text.indices.contains(index)
        && (text[index] == 0x5F || [.letter, .number].contains(table.kind(text[index])))
    }
    var start = text.startIndex
    var index = start
    while index < text.endIndex {
      let end = index + Self.chunkBreak.count
      guard text[index...].starts(with: Self.chunkBreak), !isWord(index - 1), !isWord(end) else {
        index += 1
        continue
      }
      var last = index
      while last > start, table.kind(text[last - 1]) == .space { last -= 1 }
      append(Array(text[start..<last]))
      entries.append(.chunkBreak)
      index = end
      while index < text.endIndex, table.kind(text[index]) == .space { index += 1 }
      start = index
    }
    append(Array(text[start...]))
  }

  /// The entries with neighbours of equal weight joined; empty ones, which keep neighbours apart, are left out after.
  private func merged() -> [WeightedPrompt.Part] {
    var result: [Entry] = []
    for entry in entries {
      if case .text(let text, let weight) = entry, case .text(let before, weight)? = result.last {
        result[result.count - 1] = .text(before + text, weight: weight)
      } else {
        result.append(entry)
      }
    }
    return result.compactMap { entry in
      switch entry {
      case .chunkBreak: .chunkBreak
      case .text(let text, let weight):
        text.isEmpty ? nil : .text(String(scalarValues: text), weight: weight)
      }
    }
  }
}
