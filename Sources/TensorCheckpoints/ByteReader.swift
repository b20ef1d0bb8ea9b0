/// Reads little-endian numbers and texts from bytes, in order; what reaches beyond the end is a ``FormatFault``.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var offset: Int

  init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = min(max(0, offset), bytes.count)
  }

  /// How many bytes are left.
  var rest: Int { bytes.count - offset }

  /// The next `count` bytes.
  mutating func take(_ count: UInt64) throws(FormatFault) -> UnsafeRawBufferPointer {
    guard count <= UInt64(rest) else {
      throw FormatFault("cut off at byte \(offset): expected \(count) bytes, \(rest) are left")
    }
    defer { offset += Int(count) }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(count)])
  }

  /// The next bytes as a number.
  mutating func read<Number: FixedWidthInteger>(
    _ type: Number.Type
  ) throws(FormatFault) -> Number {
    let source = try take(UInt64(MemoryLayout<Number>.size))
    return Number(littleEndian: source.loadUnaligned(as: Number.self))
  }

  /// The next `count` bytes as UTF-8; what is none is replaced.
  mutating func text(_ count: UInt64) throws(FormatFault) -> String {
    String(decoding: try take(count), as: UTF8.self)
  }

  /// A line of text, without its end.
  mutating func line() throws(FormatFault) -> String {
    guard let end = bytes[offset...].firstIndex(of: 0x0a) else {
      throw FormatFault("cut off at byte \(offset): a line without an end")
    }
    defer { offset = end + 1 }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }
}
