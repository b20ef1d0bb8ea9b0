/// The formats of checkpoint files, told apart by how a file begins and never by its name.
public enum CheckpointFormat: String, Sendable, CaseIterable {
  case safetensors
  case torch = "PyTorch"
  case gguf = "GGUF"
  case shardIndex = "shard index"

  /// The format of a file; nil where it begins like none.
  init?(_ bytes: UnsafeRawBufferPointer) {
    // A safetensors header is at most 100 MB long, so the upper half of its length is zero: no other start has that.
    if bytes.count > 8, bytes[4..<8].allSatisfy({ $0 == 0 }),
      [0x7b, 0x20, 0x09, 0x0a, 0x0d].contains(bytes[8])
    {
      self = .safetensors
    } else if bytes.starts(with: GGUFHeader.magic) {
      self = .gguf
    } else if bytes.starts(with: TorchContent.zipStart) || Self.isPickle(bytes) {
      self = .torch
    } else if bytes.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) == 0x7b {
      self = .shardIndex
    } else {
      return nil
    }
  }

  /// Protocols from 2 on begin with their number; older ones with a global or a mark.
  private static func isPickle(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = bytes.first, bytes.count > 1 else { return false }
    return first == 0x80 && (2...5).contains(bytes[1])
      || [UInt8(ascii: "c"), UInt8(ascii: "(")].contains(first)
  }
}

/// Opens a checkpoint of any format that is read: safetensors, PyTorch's (as data), GGUF, or the index of several files
/// (`*.index.json`), as its content says.
///
/// Throws ``CheckpointError``; a file that begins like none of these is
/// ``CheckpointError/malformed(path:reason:)``.
public func openCheckpoint(path: String) throws(CheckpointError) -> any CheckpointSource {
  try openCheckpoint(MappedFile(path: path), allowsIndex: true)
}

package func openCheckpoint(
  _ file: MappedFile, allowsIndex: Bool
) throws(CheckpointError) -> any CheckpointSource {
  switch CheckpointFormat(file.bytes) {
  case .safetensors: return try SafetensorsFile(file)
  case .torch: return try TorchFile(file)
  case .gguf: return try GGUFFile(file)
  case .shardIndex where allowsIndex: return try ShardedCheckpoint(file)
  case .shardIndex, nil:
    throw .malformed(
      path: file.path,
      reason: "not a whole safetensors file, nor a PyTorch file, GGUF file or shard index: "
        + "it begins like none of them")
  }
}
