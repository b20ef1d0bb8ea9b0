/// GPT-2's alphabet: a printable character for each of the 256 bytes, so that a vocabulary is a list of words.
///
/// Printable bytes of Latin-1 stand for themselves, the others for U+0100 and on (Radford et al. 2019, `bytes_to_unicode`).
enum ByteAlphabet {
  /// What ends a word's last token.
  static let wordEnd = "</w>"

  /// The bytes in the order of the alphabet: the printable ones first.
  static let order: [UInt8] = {
    let printable = (0x21...0x7E).map { $0 } + (0xA1...0xAC).map { $0 } + (0xAE...0xFF).map { $0 }
    let rest = (0...255).filter { !printable.contains($0) }
    return (printable + rest).map { UInt8($0) }
  }()

  /// The character of each byte.
  static let characters: [Unicode.Scalar] = {
    var result = (0...255).map { Unicode.Scalar(UInt8($0)) }
    for (index, byte) in order.dropFirst(188).enumerated() {
      result[Int(byte)] = Unicode.Scalar(UInt32(0x100 + index)) ?? result[Int(byte)]
    }
    return result
  }()

  private static let bytes = Dictionary(
    uniqueKeysWithValues: zip(characters, (0...255).map { UInt8($0) }))

  /// The bytes a token of the vocabulary stands for; nil where a character is none of the alphabet.
  static func bytes(of token: String) -> [UInt8]? {
    let scalars = token.unicodeScalars
    var result: [UInt8] = []
    for scalar in scalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }
}
