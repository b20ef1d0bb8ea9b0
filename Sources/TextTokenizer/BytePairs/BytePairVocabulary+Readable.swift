extension BytePairVocabulary {
  /// A token for a person's eyes: its bytes as text with `</w>` where a word ends; bytes that are no whole characters, white
  /// space and controls as `\x` and two hexadecimal digits each.
  public static func readable(_ token: String) -> String {
    if token == startMarker || token == endMarker { return token }
    let ends = token.hasSuffix(ByteAlphabet.wordEnd)
    let body = ends ? String(token.dropLast(ByteAlphabet.wordEnd.count)) : token
    guard let bytes = ByteAlphabet.bytes(of: body) else { return token }
    let text = String(decoding: bytes, as: UTF8.self)
    let isWhole = Array(text.utf8) == bytes
    let isVisible = text.unicodeScalars.allSatisfy {
      switch $0.properties.generalCategory {
      case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
    func escaped(_ byte: UInt8) -> String {
      "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
    let shown = isWhole && isVisible ? text : bytes.map(escaped).joined()
    return shown + (ends ? ByteAlphabet.wordEnd : "")
  }
}
