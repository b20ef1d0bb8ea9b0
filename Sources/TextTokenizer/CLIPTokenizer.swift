/// CLIP's tokenizer: text to the ids of byte-pair tokens, exactly as transformers' `CLIPTokenizer` (5.24) does it.
///
/// Added tokens are found first; what stands between is normalised (NFC, white space, lower case), cut into words, single
/// digits and runs of signs, and each piece's UTF-8 bytes are merged by rank. Nothing is remembered between calls.
public struct CLIPTokenizer: Sendable {
  /// The vocabulary.
  public let vocabulary: BytePairVocabulary
  /// The id that fills a text up to its length: the end marker's for CLIP and Stable Diffusion 1, 0 for OpenCLIP (SD 2).
  public var padID: Int
  /// What is done to a text before.
  public var cleaning: TextCleaning
  /// Texts with ids of their own; the vocabulary's markers are among them.
  public var added: [AddedToken] {
    didSet { (given, normalized) = Self.finders(added) }
  }
  private var given: AddedTokenFinder
  private var normalized: AddedTokenFinder

  /// - Parameters:
  ///   - padID: the end marker's id where it is nil.
  ///   - added: texts with ids of their own beside the two markers; one for a marker replaces it.
  public init(
    vocabulary: BytePairVocabulary, padID: Int? = nil, cleaning: TextCleaning = .none,
    added: [AddedToken] = []
  ) {
    self.vocabulary = vocabulary
    self.padID = padID ?? vocabulary.endID
    self.cleaning = cleaning
    let markers = [
      (BytePairVocabulary.startMarker, vocabulary.startID),
      (BytePairVocabulary.endMarker, vocabulary.endID),
    ].map { AddedToken($0.0, ids: [$0.1], isNormalized: false, isWholeWord: false) }
    let contents = Set(added.map(\.content))
    self.added = markers.filter { !contents.contains($0.content) } + added
    (given, normalized) = Self.finders(self.added)
  }

  private static func finders(_ added: [AddedToken]) -> (AddedTokenFinder, AddedTokenFinder) {
    let given = added.filter { !$0.isNormalized }
    return (AddedTokenFinder(given), AddedTokenFinder(added.filter(\.isNormalized)))
  }

  /// A piece of a text and its ids.
  public struct Piece: Sendable, Hashable {
    /// The normalised text.
    public let text: String
    /// One id or more.
    public let ids: [Int]
    /// Whether it is an added token.
    public let isAdded: Bool
  }

  /// The ids of a text, without markers around it.
  public func ids(of text: String) -> [Int] {
    var result: [Int] = []
    visit(text) { _, _, ids in result += ids }
    return result
  }

  /// The pieces of a text, each with its ids.
  public func pieces(of text: String) -> [Piece] {
    var result: [Piece] = []
    visit(text) { scalars, token, ids in
      let text = token?.content ?? String(scalarValues: scalars)
      result.append(Piece(text: text, ids: Array(ids), isAdded: token != nil))
    }
    return result
  }

  /// The ids a text encoder takes: the start marker, the text's, the end marker, and ``padID`` up to `length`.
  ///
  /// A longer text loses its end, never its end marker, and a placeholder of several vectors is cut where the length ends.
  ///
  /// - Parameter length: two or more.
  public func encode(_ text: String, length: Int = 77) -> [Int] {
    let ids = ids(of: text).prefix(max(0, length - 2))
    let padding = repeatElement(padID, count: max(0, length - 2 - ids.count))
    return [vocabulary.startID] + ids + [vocabulary.endID] + padding
  }

  private typealias Visitor = (_ scalars: ArraySlice<UInt32>, AddedToken?, ArraySlice<Int>) -> Void

  private func visit(_ text: String, _ visitor: Visitor) {
    let scalars = cleaning.cleaned(text).scalarValues
    var merger = PairMerger(vocabulary.merges)
    for part in given.parts(of: scalars) {
      if let token = part.token {
        visitor(scalars[part.range], token, token.ids[...])
        continue
      }
      let plain = TextNormalizer.normalized(Array(scalars[part.range]))
      for inner in normalized.parts(of: plain) {
        if let token = inner.token {
          visitor(plain[inner.range], token, token.ids[...])
        } else {
          visitPieces(Array(plain[inner.range]), &merger, visitor)
        }
      }
    }
  }

  private func visitPieces(_ text: [UInt32], _ merger: inout PairMerger, _ visitor: Visitor) {
    var symbols: [Int32] = []
    var ids: [Int] = []
    for range in PieceScanner.pieces(of: text) {
      symbols.removeAll(keepingCapacity: true)
      ids.removeAll(keepingCapacity: true)
      var last: UInt8 = 0
      for scalar in text[range] {
        for byte in UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? .init() {
          last = byte
          symbols.append(vocabulary.byteIDs[Int(byte)])
        }
      }
      symbols[symbols.count - 1] = vocabulary.finalByteIDs[Int(last)]
      merger.merge(symbols, into: &ids)
      visitor(text[range], nil, ids[...])
    }
  }
}
