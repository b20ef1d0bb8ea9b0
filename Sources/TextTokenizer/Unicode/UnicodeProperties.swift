import Foundation

/// The properties of code points that tokenizing depends on, from a table of our own.
///
/// The reference tokenizer mixes three versions of Unicode, and Swift's own properties change with the system: a prompt would
/// have other ids on another one.
struct UnicodeProperties: Sendable {
  /// What the reference's regular expressions tell apart: `\p{L}`, `\p{N}`, `\s`, and all else.
  enum Kind: UInt8 {
    case other, letter, number, space
  }

  /// One step of a canonical decomposition.
  struct Decomposition {
    let first: UInt32
    let second: UInt32?
  }

  /// The one table.
  static let table = UnicodeProperties()

  /// Code points from here on are unassigned or private to the reference: nothing is known of them.
  private static let limit = 0x40000
  private static let kindBits: UInt8 = 3
  private static let unstable: UInt8 = 4
  private static let upper: UInt8 = 8

  /// A byte a code point: its kind, whether normalisation may touch it, whether it has a lower case.
  private var flags = [UInt8](repeating: 0, count: limit)
  private var lowered: [UInt32: UInt32] = [:]
  private var classes: [UInt32: UInt8] = [:]
  private var decompositions: [UInt32: Decomposition] = [:]
  private var compositions: [UInt64: UInt32] = [:]

  func kind(_ scalar: UInt32) -> Kind {
    guard scalar < Self.limit else { return .other }
    return Kind(rawValue: flags[Int(scalar)] & Self.kindBits) ?? .other
  }

  /// Whether NFC may change the code point or what stands before it.
  func isUnstable(_ scalar: UInt32) -> Bool {
    scalar < Self.limit && flags[Int(scalar)] & Self.unstable != 0
  }

  /// The lower case, where it is another code point. U+0130 alone becomes two, `i` and U+0307: this is the first of them.
  func lower(_ scalar: UInt32) -> UInt32? {
    guard scalar < Self.limit, flags[Int(scalar)] & Self.upper != 0 else { return nil }
    return lowered[scalar]
  }

  /// The canonical combining class, 0 to 240.
  func combiningClass(_ scalar: UInt32) -> UInt8 {
    isUnstable(scalar) ? classes[scalar] ?? 0 : 0
  }

  func decomposition(_ scalar: UInt32) -> Decomposition? { decompositions[scalar] }

  /// The code point that the two compose to.
  func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
    compositions[UInt64(first) << 32 | UInt64(second)]
  }

  // MARK: - Reading the table

  private init() {
    let data = Data(
      base64Encoded: UnicodeTableData.base64, options: .ignoreUnknownCharacters)
    var reader = NumberReader(bytes: [UInt8](data ?? Data()))
    for kind in [Kind.letter, .number, .space] { readKinds(kind, &reader) }
    readLowerCase(&reader)
    readClasses(&reader)
    readDecompositions(&reader)
    // Hangul's vowels and trailing consonants compose by arithmetic: see CanonicalComposition.
    for jamo in [0x1161...0x1175, 0x11A8...0x11C2] {
      for scalar in jamo { flags[scalar] |= Self.unstable }
    }
  }

  private mutating func readKinds(_ kind: Kind, _ reader: inout NumberReader) {
    var end = 0
    for _ in 0..<reader.next() {
      let first = end + reader.next()
      end = first + reader.next()
      for scalar in first...end { flags[scalar] |= kind.rawValue }
    }
  }

  private mutating func readLowerCase(_ reader: inout NumberReader) {
    var first = 0
    for _ in 0..<reader.next() {
      first += reader.next()
      let (count, stride, distance) = (reader.next(), reader.next(), reader.next())
      for index in 0..<count {
        let scalar = first + index * stride
        flags[scalar] |= Self.upper
        lowered[UInt32(scalar)] = UInt32(scalar + distance)
      }
    }
    flags[0x130] |= Self.upper
    lowered[0x130] = 0x69
  }

  private mutating func readClasses(_ reader: inout NumberReader) {
    var first = 0
    for _ in 0..<reader.next() {
      first += reader.next()
      let (count, value) = (reader.next(), reader.next())
      for scalar in first..<first + count {
        classes[UInt32(scalar)] = UInt8(value)
        flags[scalar] |= Self.unstable
      }
    }
  }

  private mutating func readDecompositions(_ reader: inout NumberReader) {
    var (scalar, first) = (0, 0)
    for _ in 0..<reader.next() {
      scalar += reader.next()
      let form = reader.next()
      first += reader.next()
      let second = form == 0 ? nil : UInt32(reader.next())
      decompositions[UInt32(scalar)] = Decomposition(first: UInt32(first), second: second)
      if form == 1, let second {
        compositions[UInt64(first) << 32 | UInt64(second)] = UInt32(scalar)
        flags[Int(second)] |= Self.unstable
      } else {
        flags[scalar] |= Self.unstable
      }
    }
  }
}

/// Numbers of any sign, zigzag, seven bits a byte, the lowest first.
private struct NumberReader {
  let bytes: [UInt8]
  private var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> Int {
    var (value, shift) = (0, 0)
    while offset < bytes.count {
      let byte = Int(bytes[offset])
      offset += 1
      value |= (byte & 127) << shift
      shift += 7
      if byte < 128 { break }
    }
    return value & 1 == 0 ? value / 2 : -(value + 1) / 2
  }
}
