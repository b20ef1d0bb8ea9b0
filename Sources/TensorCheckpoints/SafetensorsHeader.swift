/// The directory of a safetensors file: eight bytes of length, then JSON, then the tensors' bytes without a gap.
struct SafetensorsHeader {
  struct Record {
    let entry: CheckpointEntry
    /// The tensor's bytes, counted from the start of the file.
    let bytes: Range<Int>
  }

  static let greatestLength = 100_000_000
  static let metadataKey = "__metadata__"

  /// In the order of their bytes.
  let records: [Record]
  let metadata: [String: String]

  /// Reads the directory and checks that the tensors cover the rest of the file, each by as many bytes as its type and
  /// shape take. Throws the reason as text.
  init(_ file: UnsafeRawBufferPointer) throws(FormatFault) {
    guard file.count >= 8 else {
      throw FormatFault("\(file.count) bytes, expected 8 bytes of header length")
    }
    let claimed = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard claimed <= Self.greatestLength else {
      throw FormatFault(
        "a header of \(claimed) bytes, expected at most \(Self.greatestLength)")
    }
    let start = 8 + Int(claimed)
    guard start <= file.count else {
      throw FormatFault("a header of \(claimed) bytes in a file of \(file.count)")
    }
    let text = UnsafeRawBufferPointer(rebasing: file[8..<start])
    guard String(validating: text, as: UTF8.self) != nil else {
      throw FormatFault("the header is not UTF-8")
    }
    var directory = Directory()
    do throws(JSONScanner.Failure) {
      var scanner = JSONScanner(text)
      try directory.read(&scanner)
    } catch {
      throw FormatFault("\(error.reason), at byte \(error.offset) of the header")
    }
    metadata = directory.metadata ?? [:]
    records = try Self.placed(directory.tensors, from: start, to: file.count)
  }

  private static func placed(
    _ tensors: [TensorName: Information], from start: Int, to end: Int
  ) throws(FormatFault) -> [Record] {
    let sorted = tensors.sorted { a, b in
      (a.value.start, a.value.end, a.key) < (b.value.start, b.value.end, b.key)
    }
    var records: [Record] = []
    records.reserveCapacity(sorted.count)
    var next = 0
    for (name, tensor) in sorted {
      let label = "tensor \(quoted(name.string))"
      guard tensor.start == next, tensor.end >= next else {
        throw FormatFault(
          "\(label) is at \(tensor.start) to \(tensor.end), expected it to begin at \(next)")
      }
      guard let size = tensor.type.byteCount(tensor.shape) else {
        throw FormatFault(
          "\(label): shape \(tensor.shape) of \(tensor.type.rawValue) overflows")
      }
      guard size == tensor.end - tensor.start else {
        throw FormatFault(
          "\(label): shape \(tensor.shape) of \(tensor.type.rawValue) takes \(size) bytes, "
            + "the file gives it \(tensor.end - tensor.start)")
      }
      next = tensor.end
      guard next <= end - start else {
        throw FormatFault("cut off: \(label) ends at \(next), the data at \(end - start)")
      }
      let entry = CheckpointEntry(name: name.string, type: tensor.type, shape: tensor.shape)
      records.append(Record(entry: entry, bytes: (start + tensor.start)..<(start + tensor.end)))
    }
    guard next == end - start else {
      throw FormatFault("the tensors take \(next) bytes, the file has \(end - start) for them")
    }
    return records
  }
}

private struct Information {
  let type: StoredType
  let shape: [Int]
  let start: Int
  let end: Int
}

/// The header's JSON. As in the reference reader the last of two tensors of one name counts (the check of their places
/// then refuses all but an exact repetition), and unknown keys of a tensor are passed over.
private struct Directory {
  var tensors: [TensorName: Information] = [:]
  var metadata: [String: String]?

  mutating func read(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) {
    var sawMetadata = false
    var (tensors, metadata) = (self.tensors, self.metadata)
    try scanner.object { (scanner: inout JSONScanner, key: String) throws(JSONScanner.Failure) in
      if key.utf8.elementsEqual(SafetensorsHeader.metadataKey.utf8) {
        if sawMetadata { throw scanner.failure("`\(key)` twice") }
        sawMetadata = true
        metadata = try Self.metadata(&scanner)
      } else {
        tensors[TensorName(key)] = try Self.tensor(&scanner)
      }
    }
    try scanner.expectEnd()
    (self.tensors, self.metadata) = (tensors, metadata)
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws(JSONScanner.Failure) -> [String: String]? {
    if scanner.peek() == UInt8(ascii: "n") {
      try scanner.literal("null")
      return nil
    }
    var metadata: [String: String] = [:]
    try scanner.object { (scanner: inout JSONScanner, key: String) throws(JSONScanner.Failure) in
      metadata[key] = try scanner.string()
    }
    return metadata
  }

  private static func tensor(
    _ scanner: inout JSONScanner
  ) throws(JSONScanner.Failure) -> Information {
    var type: StoredType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { (scanner: inout JSONScanner, key: String) throws(JSONScanner.Failure) in
      switch key {
      case "dtype" where type == nil: type = try Self.type(&scanner)
      case "shape" where shape == nil: shape = try Self.naturals(&scanner)
      case "data_offsets" where offsets == nil: offsets = try Self.naturals(&scanner)
      case "dtype", "shape", "data_offsets": throw scanner.failure("`\(key)` twice")
      default: try scanner.skip()
      }
    }
    guard let type, let shape, let offsets else {
      throw scanner.failure("a tensor without `dtype`, `shape` or `data_offsets`")
    }
    guard offsets.count == 2 else {
      throw scanner.failure("expected two `data_offsets`, found \(offsets.count)")
    }
    return Information(type: type, shape: shape, start: offsets[0], end: offsets[1])
  }

  private static func type(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) -> StoredType {
    let name = try scanner.string()
    guard let type = StoredType(rawValue: name), type.isSafetensors else {
      throw scanner.failure("unknown dtype \(quoted(name))")
    }
    return type
  }

  private static func naturals(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) -> [Int] {
    var values: [Int] = []
    try scanner.array { (scanner: inout JSONScanner) throws(JSONScanner.Failure) in
      values.append(try scanner.natural())
    }
    return values
  }
}
