import Foundation
import TensorCore

/// A safetensors file, mapped into memory and checked as strictly as the reference reader does.
///
/// Tensors of float32, float64, float16 and bfloat16 are read without a copy where their place in the file is aligned;
/// they keep the mapping alive. The file is not to be changed meanwhile (replace it by renaming).
public struct SafetensorsFile: CheckpointSource {
  /// Where the file is.
  public let path: String
  /// Texts that were stored beside the tensors.
  public let metadata: [String: String]
  private let file: MappedFile
  private let records: [SafetensorsHeader.Record]
  private let indices: [TensorName: Int]

  /// Opens the file at `path`. Throws ``CheckpointError/file(path:operation:reason:)`` where it cannot be read and
  /// ``CheckpointError/malformed(path:reason:)`` where it is not whole or not in the format.
  public init(path: String) throws(CheckpointError) {
    self.path = path
    file = try MappedFile(path: path)
    do throws(SafetensorsFault) {
      let header = try SafetensorsHeader(file.bytes)
      records = header.records
      metadata = header.metadata
    } catch {
      throw .malformed(path: path, reason: error.reason)
    }
    indices = Dictionary(
      records.enumerated().map { (TensorName($1.entry.name), $0) }, uniquingKeysWith: { $1 })
  }

  /// Every tensor, in the order of their bytes.
  public var entries: [CheckpointEntry] { records.map(\.entry) }

  /// What the file says of the tensor of this name; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    indices[TensorName(name)].map { records[$0].entry }
  }

  /// The tensor of this name, in its stored type and layout.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    let record = try record(named: name)
    let entry = record.entry
    guard let dtype = entry.type.dtype else {
      throw .elementType(
        path: path, name: name, found: entry.type.rawValue, expected: "F32, F64, F16 or BF16")
    }
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[record.bytes])
    guard let start = bytes.baseAddress, !bytes.isEmpty else {
      return Tensor(uninitialized: entry.shape, dtype: dtype)
    }
    if Int(bitPattern: start) % dtype.size == 0 {
      return Tensor(foreign: start, shape: entry.shape, dtype: dtype, owner: file)
    }
    let copy = Tensor(uninitialized: entry.shape, dtype: dtype)
    copy.freshAddress.copyMemory(from: start, byteCount: bytes.count)
    return copy
  }

  /// The elements of an integer or truth-value tensor (0 or 1), in row-major order.
  public func integers(named name: String) throws(CheckpointError) -> [Int] {
    let record = try record(named: name)
    let bytes = file.bytes[record.bytes]
    func read<Stored: FixedWidthInteger>(_ type: Stored.Type) -> [Int]? {
      var values = [Int](repeating: 0, count: record.entry.count)
      for i in values.indices {
        let stored = UnsafeRawBufferPointer(rebasing: bytes).loadUnaligned(
          fromByteOffset: i * MemoryLayout<Stored>.size, as: Stored.self)
        guard let value = Int(exactly: Stored(littleEndian: stored)) else { return nil }
        values[i] = value
      }
      return values
    }
    let values: [Int]? =
      switch record.entry.type {
      case .bool: bytes.map { $0 == 0 ? 0 : 1 }
      case .uint8: read(UInt8.self)
      case .int8: read(Int8.self)
      case .uint16: read(UInt16.self)
      case .int16: read(Int16.self)
      case .uint32: read(UInt32.self)
      case .int32: read(Int32.self)
      case .uint64: read(UInt64.self)
      case .int64: read(Int64.self)
      default:
        throw .elementType(
          path: path, name: name, found: record.entry.type.rawValue, expected: "integers")
      }
    guard let values else { throw .integerRange(path: path, name: name) }
    return values
  }

  /// Calls `body` with the bytes of the tensor of this name as they are in the file.
  public func withBytes<Result>(
    named name: String, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(CheckpointError) -> Result {
    let range = try record(named: name).bytes
    defer { withExtendedLifetime(file) {} }
    return body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
  }

  /// Tells the system that the whole file will be read soon.
  public func willRead() { file.willRead() }

  /// Gives back the memory that the file's pages of this tensor take; they are read anew when touched again.
  public func releasePages(of name: String) throws(CheckpointError) {
    file.release(try record(named: name).bytes)
  }

  private func record(named name: String) throws(CheckpointError) -> SafetensorsHeader.Record {
    guard let index = indices[TensorName(name)] else { throw .missing(path: path, name: name) }
    return records[index]
  }
}
