import TensorCore

extension StoredElements {
  /// The same elements under another name and in a shape of as many.
  package func named(_ name: String, shape: [Int]) -> StoredElements {
    view(CheckpointEntry(name: name, type: entry.type, shape: shape), bytes)
  }

  /// One of `count` equal parts of the first axis, where the elements are.
  package func part(_ index: Int, of count: Int) throws(CheckpointError) -> StoredElements {
    let rows = entry.shape.first ?? 0
    let shape = [rows / max(1, count)] + entry.shape.dropFirst()
    guard rows % count == 0, let size = entry.type.byteCount(shape) else {
      throw .malformed(
        path: path,
        reason:
          "\(quoted(entry.name)) of shape \(entry.shape) and type \(entry.type.rawValue) does "
          + "not come apart into \(count) parts")
    }
    return view(
      CheckpointEntry(name: entry.name, type: entry.type, shape: shape),
      UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size]))
  }

  /// Elements of one type, one behind the other.
  package init(
    joining parts: [StoredElements], named name: String, shape: [Int]
  ) throws(CheckpointError) {
    let path = parts.first?.path ?? ""
    let joined = try MappedFile(path: path, count: parts.reduce(0) { $0 + $1.bytes.count }) { all in
      var start = 0
      for part in parts {
        part.withBytes { bytes in
          UnsafeMutableRawBufferPointer(rebasing: all[start..<start + bytes.count])
            .copyMemory(from: bytes)
        }
        start += part.bytes.count
      }
    }
    self.init(
      CheckpointEntry(name: name, type: parts.first?.entry.type ?? .float32, shape: shape),
      path: path, bytes: joined.bytes, owner: joined)
  }

  /// The elements in another type: a floating-point one, or Q8_0 where the last axis is whole blocks.
  package func converted(to type: StoredType) throws(CheckpointError) -> StoredElements {
    if type == entry.type { return self }
    if type == .q8_0 {
      guard let blocks = Quantization.eightBitBlocks(of: try tensor().converted(to: .float32))
      else {
        throw .elementType(
          path: path, name: entry.name, found: "rows of \(entry.shape.last ?? 0)",
          expected: "finite numbers in rows of whole blocks of 32, for Q8_0")
      }
      let kept = try MappedFile(path: path, contents: blocks)
      return StoredElements(
        CheckpointEntry(name: entry.name, type: type, shape: entry.shape), path: path,
        bytes: kept.bytes, owner: kept)
    }
    guard let dtype = type.dtype else {
      throw .elementType(
        path: path, name: entry.name, found: entry.type.rawValue,
        expected: "a conversion to F32, F16, BF16 or Q8_0")
    }
    return StoredElements(try tensor().converted(to: dtype), named: entry.name, path: path)
  }
}

extension StoredType {
  /// The type of the tensor that these elements become.
  package var widened: StoredType { quantization == nil ? self : .float32 }
}
