/// A vocabulary of byte-pair tokens with the merges that make them, in CLIP's form: words end in `</w>`, and two markers
/// start and end a text (Radford et al. 2021, section 2.4).
public struct BytePairVocabulary: Sendable {
  /// The marker before a text, `<|startoftext|>`.
  public static let startMarker = "<|startoftext|>"
  /// The marker behind a text, `<|endoftext|>`, which also stands for what the vocabulary lacks.
  public static let endMarker = "<|endoftext|>"

  /// Every token's id. Tokens are written in GPT-2's alphabet of bytes.
  public let ids: [String: Int]
  /// The ids of the two markers.
  public let (startID, endID): (Int, Int)
  let merges: MergeTable
  /// The ids of a byte within a word, and of one that ends it.
  let byteIDs: [Int32]
  let finalByteIDs: [Int32]

  /// - Parameters:
  ///   - ids: the ids of all tokens, the markers among them.
  ///   - merges: pairs of tokens, the first to be merged first.
  ///   - path: what errors call the vocabulary.
  /// - Throws: ``TokenizerError`` where a merge is of, or to, a token that is not there, or a marker is missing.
  public init(
    ids: [String: Int], merges: [(String, String)], path: String
  ) throws(TokenizerError) {
    if let (token, id) = ids.first(where: { Int32(exactly: $0.value) == nil || $0.value < 0 }) {
      throw .malformed(
        path: path, place: "token \(token)",
        problem: "expected an id from 0 to \(Int32.max), found \(id)")
    }
    func id(_ token: String, _ place: String) throws(TokenizerError) -> Int32 {
      guard let id = ids[token] else {
        throw .malformed(
          path: path, place: place, problem: "expected the token \(token) in the vocabulary")
      }
      return Int32(id)
    }
    self.ids = ids
    startID = Int(try id(Self.startMarker, "the start marker"))
    endID = Int(try id(Self.endMarker, "the end marker"))
    var table = MergeTable(count: merges.count)
    for (rank, (left, right)) in merges.enumerated() {
      let place = "merge \(rank + 1)"
      let merge = MergeTable.Merge(rank: UInt32(rank), result: try id(left + right, place))
      table.insert(try id(left, place), try id(right, place), merge)
    }
    self.merges = table
    let unknown = Int32(endID)
    byteIDs = ByteAlphabet.characters.map { Int32(ids[String($0)] ?? Int(unknown)) }
    finalByteIDs = ByteAlphabet.characters.map {
      Int32(ids[String($0) + ByteAlphabet.wordEnd] ?? Int(unknown))
    }
  }

  /// The number of tokens.
  public var count: Int { ids.count }
}
