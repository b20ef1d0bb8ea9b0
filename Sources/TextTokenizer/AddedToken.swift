/// A text that stands for tokens of its own and is found before anything else: the markers of a vocabulary, and the
/// placeholders of textual inversion, which may stand for several vectors (Gal et al. 2022).
public struct AddedToken: Sendable, Hashable {
  /// What to find.
  public var content: String
  /// What it stands for.
  public var ids: [Int]
  /// Whether it is found in the normalised text, so in any case of letters; else in the text as it was given.
  public var isNormalized: Bool
  /// Whether a letter or a digit at its edge may not continue in the text: `cat` is not found in `category`.
  public var isWholeWord: Bool

  /// - Parameter ids: the ids of its vectors, one or more.
  public init(_ content: String, ids: [Int], isNormalized: Bool = true, isWholeWord: Bool = true) {
    self.content = content
    self.ids = ids
    self.isNormalized = isNormalized
    self.isWholeWord = isWholeWord
  }
}

/// Finds added tokens in code points: the leftmost, of those that start together the longest.
struct AddedTokenFinder: Sendable {
  private let candidates: [UInt32: [(text: [UInt32], token: AddedToken)]]

  init(_ tokens: [AddedToken]) {
    var candidates: [UInt32: [(text: [UInt32], token: AddedToken)]] = [:]
    for token in tokens {
      let given = token.content.scalarValues
      let text = token.isNormalized ? TextNormalizer.normalized(given) : given
      if let first = text.first { candidates[first, default: []].append((text, token)) }
    }
    self.candidates = candidates.mapValues { $0.sorted { $0.text.count > $1.text.count } }
  }

  /// A stretch of the text: an added token, or what stands between two.
  struct Part {
    let range: Range<Int>
    let token: AddedToken?
  }

  /// The text's parts, in order, none of them empty.
  func parts(of text: [UInt32]) -> [Part] {
    guard !candidates.isEmpty else {
      return text.isEmpty ? [] : [Part(range: text.indices, token: nil)]
    }
    var result: [Part] = []
    var (start, offset) = (0, 0)
    while offset < text.count {
      guard let found = token(in: text, at: offset) else {
        offset += 1
        continue
      }
      if start < offset { result.append(Part(range: start..<offset, token: nil)) }
      start = offset + found.text.count
      result.append(Part(range: offset..<start, token: found.token))
      offset = start
    }
    if start < text.count { result.append(Part(range: start..<text.count, token: nil)) }
    return result
  }

  private func token(
    in text: [UInt32], at offset: Int
  ) -> (text: [UInt32], token: AddedToken)? {
    candidates[text[offset]]?.first { candidate in
      text[offset...].starts(with: candidate.text)
        && (!candidate.token.isWholeWord || isWhole(candidate.text, in: text, at: offset))
    }
  }

  private func isWhole(_ word: [UInt32], in text: [UInt32], at offset: Int) -> Bool {
    func joins(_ left: Int, _ right: Int) -> Bool {
      guard text.indices.contains(left), text.indices.contains(right) else { return false }
      return [left, right].allSatisfy {
        [.letter, .number].contains(UnicodeProperties.table.kind(text[$0]))
      }
    }
    let end = offset + word.count
    return !joins(offset - 1, offset) && !joins(end - 1, end)
  }
}
