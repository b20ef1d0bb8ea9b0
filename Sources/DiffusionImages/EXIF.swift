/// What is read of an EXIF block (CIPA DC-008; its frame is TIFF 6.0). A damaged block, or a damaged entry of one, counts
/// as absent: a picture is not refused for what stands beside it.
struct EXIF: Equatable {
  /// How the picture is to be turned.
  private(set) var orientation = ImageOrientation.upright
  /// Texts that programs which draw pictures put there, under the keywords that they have in PNG files.
  private(set) var text: [String: String] = [:]

  private enum Tag {
    static let (make, model, orientation): (Int, Int, Int) = (0x010F, 0x0110, 0x0112)
    static let (details, userComment): (Int, Int) = (0x8769, 0x9286)
  }

  /// None.
  init() {}

  /// Reads a block, from its TIFF header on.
  init(_ bytes: [UInt8]) {
    guard let reader = TIFFReader(bytes) else { return }
    let entries = reader.entries(at: reader.number(at: 4, size: 4))
    if let stored = entries[Tag.orientation], stored.kind == .short,
      let number = reader.number(at: stored.start, size: 2)
    {
      orientation = ImageOrientation(rawValue: number) ?? .upright
    }
    for tag in [Tag.make, Tag.model] {
      guard let words = entries[tag].map({ reader.bytes(of: $0) }) else { continue }
      let line = String(decoding: words.prefix { $0 != 0 }, as: UTF8.self)
      for key in ["prompt", "workflow"] where line.hasPrefix(key + ":") {
        text[key] = String(line.dropFirst(key.count + 1))
      }
    }
    if let link = entries[Tag.details], link.kind == .long,
      let comment = reader.entries(at: reader.number(at: link.start, size: 4))[Tag.userComment]
    {
      text["parameters"] = Self.comment(reader.bytes(of: comment), isBigEndian: reader.isBigEndian)
    }
  }

  /// A user comment: eight bytes that name its characters, then the text.
  private static func comment(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String? {
    let words = Array(bytes.dropFirst(8))
    if bytes.starts(with: "ASCII\0\0\0".utf8) || bytes.starts(with: [UInt8](repeating: 0, count: 8))
    {
      return String(decoding: words.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard bytes.starts(with: "UNICODE\0".utf8) else { return nil }
    // Programs write either order whatever the block's own: in a text most high bytes are zero.
    let evenZeros = stride(from: 0, to: words.count, by: 2).count { words[$0] == 0 }
    let oddZeros = stride(from: 1, to: words.count, by: 2).count { words[$0] == 0 }
    let highFirst = evenZeros == oddZeros ? isBigEndian : evenZeros > oddZeros
    let units = stride(from: 0, to: words.count - 1, by: 2).map { index -> UInt16 in
      let (high, low) = highFirst ? (index, index + 1) : (index + 1, index)
      return UInt16(words[high]) << 8 + UInt16(words[low])
    }
    return String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
  }
}

/// Reads the entries of TIFF directories, as far as they lie within the block.
private struct TIFFReader {
  enum Kind: Int {
    case byte = 1
    case ascii, short, long
    case undefined = 7

    var size: Int {
      switch self {
      case .byte, .ascii, .undefined: 1
      case .short: 2
      case .long: 4
      }
    }
  }

  struct Entry {
    let kind: Kind
    let start: Int
    let count: Int
  }

  let isBigEndian: Bool
  private let block: [UInt8]

  init?(_ block: [UInt8]) {
    self.block = block
    if block.starts(with: [0x49, 0x49, 0x2A, 0]) {
      isBigEndian = false
    } else if block.starts(with: [0x4D, 0x4D, 0, 0x2A]) {
      isBigEndian = true
    } else {
      return nil
    }
  }

  /// A whole number of `size` bytes; nil where it is not all there.
  func number(at start: Int, size: Int) -> Int? {
    guard start >= 0, start <= block.count - size else { return nil }
    let bytes = block[start..<start + size]
    return isBigEndian
      ? bytes.reduce(0) { $0 << 8 | Int($1) } : bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The directory that starts at `start`, by tag.
  func entries(at start: Int?) -> [Int: Entry] {
    guard let start, let count = number(at: start, size: 2) else { return [:] }
    var entries: [Int: Entry] = [:]
    for index in 0..<count {
      let place = start + 2 + 12 * index
      guard let tag = number(at: place, size: 2), let type = number(at: place + 2, size: 2),
        let length = number(at: place + 4, size: 4), let inner = number(at: place + 8, size: 4)
      else { break }
      guard let kind = Kind(rawValue: type) else { continue }
      let first = length * kind.size <= 4 ? place + 8 : inner
      guard length > 0, first <= block.count - length * kind.size else { continue }
      entries[tag] = Entry(kind: kind, start: first, count: length)
    }
    return entries
  }

  func bytes(of entry: Entry) -> ArraySlice<UInt8> {
    block[entry.start..<entry.start + entry.count * entry.kind.size]
  }
}
