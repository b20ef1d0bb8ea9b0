/// Cuts normalised text into the pieces that byte pairs are merged in.
///
/// By hand what CLIP's regular expression finds:
/// `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`. The reference cuts each
/// piece again by GPT-2's expression, which matters for the first two alone: they become three pieces.
struct PieceScanner {
  private let scalars: [UInt32]
  private var offset = 0

  init(_ scalars: [UInt32]) { self.scalars = scalars }

  private static let markers = ["startoftext", "endoftext"].map {
    (whole: "<|\($0)|>".scalarValues, word: $0.utf8.count)
  }
  private static let contractions = ["s", "t", "re", "ve", "m", "ll", "d"].map(\.scalarValues)

  /// The places of all pieces, in order.
  static func pieces(of scalars: [UInt32]) -> [Range<Int>] {
    var scanner = PieceScanner(scalars)
    var result: [Range<Int>] = []
    result.reserveCapacity(scalars.count / 4)
    while scanner.offset < scalars.count { scanner.scan(into: &result) }
    return result
  }

  private mutating func scan(into result: inout [Range<Int>]) {
    let start = offset
    let table = UnicodeProperties.table
    switch table.kind(scalars[start]) {
    case .space:
      offset += 1
      return
    case .number:
      offset += 1
    case .letter:
      skip(.letter, table)
    case .other:
      if scalars[start] == 0x3C, let word = marker {
        let end = start + word + 4
        result += [start..<start + 2, start + 2..<end - 2, end - 2..<end]
        offset = end
        return
      }
      if scalars[start] == 0x27, let suffix = contraction {
        offset += 1 + suffix
      } else {
        skip(.other, table)
      }
    }
    result.append(start..<offset)
  }

  private mutating func skip(_ kind: UnicodeProperties.Kind, _ table: UnicodeProperties) {
    while offset < scalars.count, table.kind(scalars[offset]) == kind { offset += 1 }
  }

  /// The length of the word in a marker that starts here.
  private var marker: Int? {
    Self.markers.first { scalars[offset...].starts(with: $0.whole) }?.word
  }

  /// The length of a contraction's letters behind the apostrophe here.
  private var contraction: Int? {
    Self.contractions.first { scalars[(offset + 1)...].starts(with: $0) }?.count
  }
}
