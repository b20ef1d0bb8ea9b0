import CZlib

/// The raw deflate format (RFC 1951), through zlib.
enum Inflate {
  /// The most that a byte of deflated data can stand for.
  static let greatestRatio = 1032

  /// Fills `target` with what `source` stands for; anything else than exactly that many bytes is a fault.
  static func fill(
    _ target: UnsafeMutableRawBufferPointer, from source: UnsafeRawBufferPointer
  ) throws(FormatFault) {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, size) == Z_OK else {
      throw FormatFault("zlib cannot start")
    }
    defer { inflateEnd(&stream) }
    // One byte beyond the target shows that there is more; zlib's counts are of 32 bits.
    var beyond: UInt8 = 0
    var (read, written) = (0, 0)
    while true {
      let (share, room) = (min(source.count - read, 1 << 30), min(target.count - written, 1 << 30))
      stream.next_in = UnsafeMutablePointer(
        mutating: source.baseAddress?.advanced(by: read).assumingMemoryBound(to: UInt8.self))
      stream.avail_in = UInt32(share)
      stream.avail_out = UInt32(max(room, 1))
      let status = withUnsafeMutablePointer(to: &beyond) { beyond in
        stream.next_out =
          room > 0
          ? target.baseAddress?.advanced(by: written).assumingMemoryBound(to: UInt8.self) : beyond
        return inflate(&stream, Z_NO_FLUSH)
      }
      read += share - Int(stream.avail_in)
      let produced = max(room, 1) - Int(stream.avail_out)
      written += produced
      guard written <= target.count else {
        throw FormatFault("deflated data of more than the \(target.count) bytes it claims")
      }
      switch status {
      case Z_STREAM_END where written == target.count: return
      case Z_OK where produced > 0 || stream.avail_in < share: continue
      default:
        throw FormatFault("deflated data is damaged after \(written) of \(target.count) bytes")
      }
    }
  }

  /// The checksum of zip files.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
