import CZlib

/// Decompression of whole gzip files (RFC 1952).
package enum Gzip {
  /// A gzip file that is truncated or damaged, or holds more than may be taken.
  package struct Fault: Error {
    /// What is wrong, and after how many bytes of contents.
    package let reason: String
  }

  /// Whether the bytes start with gzip's two.
  package static func isCompressed(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x1F, 0x8B])
  }

  /// The contents of all members of a file, one after the other; every checksum is verified.
  ///
  /// - Parameter maximumSize: the longest contents to take, in bytes.
  package static func decompress(
    _ bytes: [UInt8], maximumSize: Int = 1 << 32
  ) throws(Fault) -> [UInt8] {
    var output: [UInt8] = []
    var rest = bytes[...]
    repeat {
      let result = rest.withUnsafeBufferPointer {
        member($0, appendingTo: &output, maximumSize: maximumSize)
      }
      switch result {
      case .success(let used): rest = rest.dropFirst(used)
      case .failure(let fault): throw fault
      }
    } while !rest.isEmpty
    return output
  }

  /// Decompresses one member; answers with the number of compressed bytes it took.
  private static func member(
    _ input: UnsafeBufferPointer<UInt8>, appendingTo output: inout [UInt8], maximumSize: Int
  ) -> Result<Int, Fault> {
    var stream = z_stream()
    let gzipOnly: Int32 = 16 + MAX_WBITS
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, gzipOnly, ZLIB_VERSION, size) == Z_OK else {
      return .failure(Fault(reason: "zlib cannot start"))
    }
    defer { inflateEnd(&stream) }
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var used = 0
    while true {
      let share = min(input.count - used, 1 << 24)
      stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.advanced(by: used))
      stream.avail_in = UInt32(share)
      let (status, produced) = chunk.withUnsafeMutableBufferPointer { buffer in
        stream.next_out = buffer.baseAddress
        stream.avail_out = UInt32(buffer.count)
        return (inflate(&stream, Z_NO_FLUSH), buffer.count - Int(stream.avail_out))
      }
      used += share - Int(stream.avail_in)
      output.append(contentsOf: chunk[..<produced])
      if output.count > maximumSize {
        return .failure(Fault(reason: "it holds more than \(maximumSize) bytes"))
      }
      switch status {
      case Z_STREAM_END:
        return .success(used)
      case Z_OK, Z_BUF_ERROR:
        if used == input.count && produced < chunk.count {
          return .failure(Fault(reason: "it ends early, after \(output.count) bytes of contents"))
        }
      default:
        let message = stream.msg.map { String(cString: $0) } ?? "zlib's error \(status)"
        return .failure(Fault(reason: "\(message), after \(output.count) bytes of contents"))
      }
    }
  }
}
