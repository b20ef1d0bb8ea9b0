/// PNG's own rules for text chunks (specification, 11.3.3).
enum PNGText {
  /// A string of Latin-1 bytes.
  static func latin1(_ bytes: UnsafeRawBufferPointer) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
  }

  /// The text's bytes in Latin-1, or nil where it has a character that `tEXt` has no place for.
  static func latin1Bytes(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      guard scalar.value < 0x80 || (0xA0...0xFF).contains(scalar.value) else { return nil }
      bytes.append(UInt8(scalar.value))
    }
    return bytes
  }

  /// The keyword's bytes, or what is wrong with it.
  static func keywordBytes(_ keyword: String) -> Result<[UInt8], Fault> {
    guard let bytes = latin1Bytes(keyword),
      bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 >= 0xA1 })
    else { return .failure(Fault("a keyword is of printable Latin-1 characters")) }
    guard (1...79).contains(bytes.count) else {
      return .failure(Fault("a keyword has 1 to 79 characters, this one has \(bytes.count)"))
    }
    let spaces = keyword.hasPrefix(" ") || keyword.hasSuffix(" ") || keyword.contains("  ")
    if spaces {
      return .failure(Fault("a keyword has no leading, trailing or double spaces"))
    }
    return .success(bytes)
  }

  /// What is wrong with a keyword.
  struct Fault: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }
}
