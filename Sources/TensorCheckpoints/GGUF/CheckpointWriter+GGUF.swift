extension CheckpointWriter {
  /// Where tensors begin in a GGUF file, in bytes.
  private static let alignment = 32
  private static let numbers = Dictionary(
    uniqueKeysWithValues: GGUFHeader.types.map { ($0.value, $0.key) })

  /// Writes a GGUF file (version 3) at `path`, whole or not at all: tensors by name, ``metadata`` as texts.
  ///
  /// - Parameter architecture: `general.architecture`, which readers ask for.
  /// - Throws: ``CheckpointError/unwritable(path:reason:)`` for a type or a number of axes that GGUF has not.
  public func writeGGUF(to path: String, architecture: String) throws(CheckpointError) {
    let sorted = contents.sorted { $0.key < $1.key }
    var head = GGUFBytes()
    head.bytes += GGUFHeader.magic
    head.append(UInt32(3))
    head.append(UInt64(sorted.count))
    let texts = metadata.filter { $0.key != "general.architecture" }
      .sorted { TensorName($0.key) < TensorName($1.key) }
    let isQuantised = sorted.contains { $0.value.type.quantization != nil }
    head.append(UInt64(texts.count + (isQuantised ? 2 : 1)))
    head.append(text: "general.architecture", architecture)
    if isQuantised {
      head.append("general.quantization_version")
      head.append(UInt32(4))
      head.append(UInt32(2))
    }
    for (key, text) in texts { head.append(text: key, text) }
    var offset = 0
    for (name, content) in sorted {
      try Self.append(name, content, at: offset, to: &head, path: path)
      offset += Self.padded(content.byteCount)
    }
    head.pad(to: Self.alignment)
    let file = try AtomicFile(path: path)
    try file.write(head.bytes)
    for (_, content) in sorted {
      try content.write(to: file)
      let count = content.byteCount
      try file.write([UInt8](repeating: 0, count: Self.padded(count) - count))
    }
    try file.commit()
  }

  private static func padded(_ count: Int) -> Int {
    (count + alignment - 1) / alignment * alignment
  }

  private static func append(
    _ name: TensorName, _ content: Content, at offset: Int, to head: inout GGUFBytes, path: String
  ) throws(CheckpointError) {
    guard let number = numbers[content.type] else {
      throw .unwritable(
        path: path,
        reason: "GGUF files have no \(content.type.rawValue), which \(quoted(name.string)) holds")
    }
    guard content.shape.count <= 4 else {
      throw .unwritable(
        path: path,
        reason:
          "GGUF's tensors have at most 4 axes, \(quoted(name.string)) has shape \(content.shape)")
    }
    let shape = content.shape.isEmpty ? [1] : content.shape
    head.append(name.string)
    head.append(UInt32(shape.count))
    for length in shape.reversed() { head.append(UInt64(length)) }
    head.append(number)
    head.append(UInt64(offset))
  }
}

/// The bytes of a GGUF file's head.
private struct GGUFBytes {
  var bytes: [UInt8] = []

  mutating func append<Number: FixedWidthInteger>(_ number: Number) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  mutating func append(_ text: String) {
    append(UInt64(text.utf8.count))
    bytes += text.utf8
  }

  /// A key and a value of type text.
  mutating func append(text key: String, _ value: String) {
    append(key)
    append(UInt32(8))
    append(value)
  }

  mutating func pad(to alignment: Int) {
    let rest = bytes.count % alignment
    if rest > 0 { bytes += [UInt8](repeating: 0, count: alignment - rest) }
  }
}
