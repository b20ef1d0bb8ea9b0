/// What CLIP's tokenizer does to a text before it is cut: NFC, runs of white space to one space, lower case.
///
/// Lower case goes code point by code point, without regard to context: a final sigma stays a plain one.
enum TextNormalizer {
  /// The code points of the normalised text.
  static func normalized(_ scalars: [UInt32]) -> [UInt32] {
    let table = UnicodeProperties.table
    var result: [UInt32] = []
    result.reserveCapacity(scalars.count)
    var afterSpace = false
    for scalar in CanonicalComposition.normalized(scalars) {
      let isSpace = table.kind(scalar) == .space
      defer { afterSpace = isSpace }
      if isSpace {
        if !afterSpace { result.append(0x20) }
      } else {
        result.append(table.lower(scalar) ?? scalar)
        if scalar == 0x130 { result.append(0x307) }
      }
    }
    return result
  }
}

extension StringProtocol {
  /// The text as numbers of code points.
  var scalarValues: [UInt32] { unicodeScalars.map(\.value) }
}

extension String {
  /// The text of code points; a surrogate, which no text holds, would become U+FFFD.
  init(scalarValues: some Sequence<UInt32>) {
    var view = String.UnicodeScalarView()
    for value in scalarValues { view.append(Unicode.Scalar(value) ?? "\u{FFFD}") }
    self.init(view)
  }
}
