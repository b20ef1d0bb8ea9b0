/// A strict reader of the JSON in a safetensors header, byte by byte: what the reference reader refuses is refused
/// (trailing commas, comments, NaN, leading zeros, lone surrogates, control characters, nesting beyond 127).
struct JSONScanner {
  /// Why the text is no JSON, and where.
  struct Failure: Error {
    let reason: String
    let offset: Int
  }

  private let bytes: UnsafeRawBufferPointer
  private(set) var offset = 0
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: offset) }

  /// The next byte that is no white space; nil at the end.
  mutating func peek() -> UInt8? {
    while offset < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[offset]) { offset += 1 }
    return offset < bytes.count ? bytes[offset] : nil
  }

  mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
    guard peek() == UInt8(ascii: character) else {
      throw failure("expected `\(character)`, found \(found)")
    }
    offset += 1
  }

  mutating func expectEnd() throws(Failure) {
    if peek() != nil { throw failure("expected the end, found \(found)") }
  }

  private var found: String {
    guard offset < bytes.count else { return "the end" }
    return "`\(Unicode.Scalar(bytes[offset]).escaped(asASCII: true))`"
  }

  /// An object: calls `member` with each key, which is to read the value.
  mutating func object(
    _ member: (inout JSONScanner, String) throws(Failure) -> Void
  ) throws(Failure) {
    try list(from: "{", to: "}") { (scanner: inout JSONScanner) throws(Failure) in
      let key = try scanner.string()
      try scanner.expect(":")
      try member(&scanner, key)
    }
  }

  /// An array: calls `element` before each.
  mutating func array(_ element: (inout JSONScanner) throws(Failure) -> Void) throws(Failure) {
    try list(from: "[", to: "]", element)
  }

  private mutating func list(
    from start: Unicode.Scalar, to end: Unicode.Scalar,
    _ element: (inout JSONScanner) throws(Failure) -> Void
  ) throws(Failure) {
    try expect(start)
    depth += 1
    if depth > 127 { throw failure("nested deeper than 127") }
    defer { depth -= 1 }
    if peek() == UInt8(ascii: end) {
      offset += 1
      return
    }
    while true {
      try element(&self)
      if peek() == UInt8(ascii: end) {
        offset += 1
        return
      }
      try expect(",")
    }
  }

  /// A whole number from 0 to `Int.max`, without sign, fraction or exponent.
  mutating func natural() throws(Failure) -> Int {
    let start = offset
    _ = peek()
    let digits = try number()
    guard let value = Int(digits), digits.allSatisfy(\.isNumber) else {
      offset = start
      throw failure("expected a whole number from 0 to \(Int.max), found `\(digits)`")
    }
    return value
  }

  /// Reads over any value.
  mutating func skip() throws(Failure) {
    switch peek() {
    case UInt8(ascii: "{"):
      try object { (scanner: inout JSONScanner, _: String) throws(Failure) in try scanner.skip() }
    case UInt8(ascii: "["):
      try array { (scanner: inout JSONScanner) throws(Failure) in try scanner.skip() }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: _ = try number()
    }
  }

  mutating func literal(_ word: StaticString) throws(Failure) {
    _ = peek()
    let text = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[offset...].starts(with: text) else { throw failure("unexpected \(found)") }
    offset += text.count
  }

  private mutating func number() throws(Failure) -> String {
    let start = offset
    func isDigit(_ offset: Int) -> Bool {
      offset < bytes.count && (0x30...0x39).contains(bytes[offset])
    }
    func digits(_ offset: inout Int) -> Bool {
      let first = offset
      while isDigit(offset) { offset += 1 }
      return offset > first
    }
    func skip(_ characters: String, _ offset: inout Int) -> Bool {
      guard offset < bytes.count, characters.utf8.contains(bytes[offset]) else { return false }
      offset += 1
      return true
    }
    _ = skip("-", &offset)
    let leading = offset
    guard digits(&offset) else { throw failure("expected a value, found \(found)") }
    if bytes[leading] == 0x30, offset > leading + 1 { throw failure("a number with leading zeros") }
    if skip(".", &offset), !digits(&offset) { throw failure("a number without decimals") }
    if skip("eE", &offset) {
      _ = skip("+-", &offset)
      guard digits(&offset) else { throw failure("a number without an exponent") }
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  // MARK: - Strings

  mutating func string() throws(Failure) -> String {
    guard peek() == UInt8(ascii: "\"") else { throw failure("expected a string, found \(found)") }
    offset += 1
    var text: [UInt8] = []
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte < 0x20 { throw failure("a control character in a string") }
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: String(try escaped()).utf8)
      default: text.append(byte)
      }
    }
    throw failure("a string without an end")
  }

  private mutating func escaped() throws(Failure) -> Character {
    guard offset < bytes.count else { throw failure("a string without an end") }
    offset += 1
    switch bytes[offset - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return Character(try unicode())
    default: throw failure("an unknown escape in a string")
    }
  }

  private mutating func unicode() throws(Failure) -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xd800...0xdbff).contains(first), bytes[offset...].starts(with: "\\u".utf8) else {
      throw failure("half of a surrogate pair")
    }
    offset += 2
    let second = try hexadecimal()
    guard (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar((first - 0xd800) << 10 + (second - 0xdc00) + 0x10000)
    else { throw failure("half of a surrogate pair") }
    return scalar
  }

  private mutating func hexadecimal() throws(Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard offset < bytes.count, let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue
      else { throw failure("expected four hexadecimal digits") }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }
}
