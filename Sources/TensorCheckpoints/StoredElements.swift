import TensorCore

/// The elements of one tensor as a file has them: row-major and little-endian, in the stored type.
///
/// Where the file has them so, this is a view of the mapped file and takes no memory: half-precision and quantised
/// weights can be kept like this and widened a few rows at a time.
public struct StoredElements: Sendable {
  /// Name, type and shape.
  public let entry: CheckpointEntry
  /// The file, for messages.
  let path: String
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let owner: any AnyObject & Sendable

  /// The elements in `bytes`, which `owner` keeps alive and which are as many as the entry takes.
  init(
    _ entry: CheckpointEntry, path: String, bytes: UnsafeRawBufferPointer,
    owner: any AnyObject & Sendable
  ) {
    self.entry = entry
    self.path = path
    self.bytes = bytes
    self.owner = owner
  }

  /// The file that the elements are in; `nil` where they are in memory.
  var mappedFile: MappedFile? {
    guard let file = owner as? MappedFile, file.isFile else { return nil }
    return file
  }

  /// Other elements of the same owner.
  func view(_ entry: CheckpointEntry, _ bytes: UnsafeRawBufferPointer) -> StoredElements {
    StoredElements(entry, path: path, bytes: bytes, owner: owner)
  }

  /// The elements of a tensor that was computed.
  public init(_ tensor: Tensor, named name: String, path: String) {
    let kept = KeptTensor(tensor.detached)
    self.init(
      CheckpointEntry(name: name, type: StoredType(tensor.dtype), shape: tensor.shape), path: path,
      bytes: UnsafeRawBufferPointer(start: kept.tensor.readAddress, count: tensor.byteCount),
      owner: kept)
  }

  /// Calls `body` with the bytes.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }

  /// The tensor in its stored type, without a copy where the place of the bytes is aligned; quantised elements are
  /// widened to float32. Throws ``CheckpointError/elementType(path:name:found:expected:)`` for any other type.
  public func tensor() throws(CheckpointError) -> Tensor {
    if let quantization = entry.type.quantization {
      return widened(0..<entry.count / quantization.blockLength, quantization)
        .reshaped(entry.shape)
    }
    return try tensor(byteOffset: 0, shape: entry.shape)
  }

  /// Whether the bytes are what a tensor of type `dtype` has.
  func isStored(as dtype: DType) -> Bool {
    if dtype == .q8_0 { return entry.type == .q8_0 && entry.shape.last?.isMultiple(of: 32) == true }
    return entry.type.dtype == dtype && Int(bitPattern: bytes.baseAddress) % dtype.size == 0
  }

  /// The tensor converted to `dtype`; where it is stored so, without a copy.
  package func tensor(as dtype: DType) throws(CheckpointError) -> Tensor {
    guard dtype == .q8_0, isStored(as: dtype), let start = bytes.baseAddress else {
      return try tensor().converted(to: dtype)
    }
    return Tensor(foreign: start, shape: entry.shape, dtype: dtype, owner: owner)
  }

  /// Some of the rows (the first axis) in float32, of shape `[rows.count, ...]`: quantised and half-precision
  /// weights are widened block by block so.
  public func rows(_ rows: Range<Int>) throws(CheckpointError) -> Tensor {
    let shape = entry.shape
    require(
      !shape.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= shape[0], "rows",
      "no rows \(rows) in \(quoted(entry.name)) of shape \(shape)")
    let some = [rows.count] + shape.dropFirst()
    let width = shape.dropFirst().reduce(1, *)
    guard let quantization = entry.type.quantization else {
      let start = rows.lowerBound * width * (entry.type.blockBits / 8)
      return try tensor(byteOffset: start, shape: some).converted(to: .float32)
    }
    // Blocks end with the rows, unless the tensor was reshaped after it was quantised.
    let length = quantization.blockLength
    let (first, end) = (rows.lowerBound * width, rows.upperBound * width)
    let blocks = widened(first / length..<(end + length - 1) / length, quantization)
    if first % length == 0 && end % length == 0 { return blocks.reshaped(some) }
    let result = Tensor(uninitialized: some, dtype: .float32)
    result.freshAddress.copyMemory(
      from: blocks.readAddress + first % length * 4, byteCount: result.byteCount)
    withExtendedLifetime(blocks) {}
    return result
  }

  /// Gives back the memory that the file's pages of these elements take; they are read anew when touched again.
  public func releasePages() {
    (owner as? MappedFile)?.release(bytes)
  }

  private func widened(_ blocks: Range<Int>, _ quantization: Quantization) -> Tensor {
    let count = blocks.count * quantization.blockLength
    let result = Tensor(uninitialized: [count], dtype: .float32)
    if count > 0, let source = bytes.baseAddress {
      quantization.widen(
        source + blocks.lowerBound * quantization.blockBytes,
        into: result.freshAddress.assumingMemoryBound(to: Float.self), count: count)
    }
    withExtendedLifetime(owner) {}
    return result
  }

  private func tensor(byteOffset: Int, shape: [Int]) throws(CheckpointError) -> Tensor {
    guard let dtype = entry.type.dtype else {
      throw .elementType(
        path: path, name: entry.name, found: entry.type.rawValue,
        expected: "F32, F64, F16 or BF16")
    }
    guard let start = bytes.baseAddress, !shape.contains(0) else {
      return Tensor(uninitialized: shape, dtype: dtype)
    }
    if Int(bitPattern: start + byteOffset) % dtype.size == 0 {
      return Tensor(foreign: start + byteOffset, shape: shape, dtype: dtype, owner: owner)
    }
    let copy = Tensor(uninitialized: shape, dtype: dtype)
    copy.freshAddress.copyMemory(from: start + byteOffset, byteCount: copy.byteCount)
    withExtendedLifetime(owner) {}
    return copy
  }

  /// Integers or truth values (0 or 1), in row-major order. Throws ``CheckpointError`` where the type is another or a
  /// number does not fit into `Int`.
  public func integers() throws(CheckpointError) -> [Int] {
    defer { withExtendedLifetime(owner) {} }
    let values: [Int]? =
      switch entry.type {
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
          path: path, name: entry.name, found: entry.type.rawValue, expected: "integers")
      }
    guard let values else { throw .integerRange(path: path, name: entry.name) }
    return values
  }

  private func read<Stored: FixedWidthInteger>(_ type: Stored.Type) -> [Int]? {
    var values = [Int](repeating: 0, count: entry.count)
    for i in values.indices {
      let stored = bytes.loadUnaligned(
        fromByteOffset: i * MemoryLayout<Stored>.size, as: Stored.self)
      guard let value = Int(exactly: Stored(littleEndian: stored)) else { return nil }
      values[i] = value
    }
    return values
  }
}

/// Keeps a tensor's memory alive.
private final class KeptTensor: Sendable {
  let tensor: Tensor

  init(_ tensor: Tensor) { self.tensor = tensor }
}
