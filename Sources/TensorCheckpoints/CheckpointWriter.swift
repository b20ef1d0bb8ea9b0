import Foundation
import TensorCore

/// Collects tensors and writes them as one safetensors or GGUF file, whole or not at all.
///
/// A safetensors file's bytes are a function of the content: tensors by falling alignment of their type, then by name (by bytes), as
/// the reference writer sorts them; metadata by key (the reference's order changes from run to run); the header padded
/// with spaces to a multiple of eight bytes.
public struct CheckpointWriter: Sendable {
  /// Texts to store beside the tensors.
  public var metadata: [String: String]
  var contents: [TensorName: Content] = [:]

  struct Content: Sendable {
    let type: StoredType
    let shape: [Int]
    let storage: Storage

    enum Storage: Sendable {
      case tensor(Tensor)
      case bytes([UInt8])
      case stored(any CheckpointSource, name: String)
    }

    var byteCount: Int { type.byteCount(shape) ?? 0 }

    /// Writes the elements, reading them first where they are in another file, whose pages are given back.
    func write(to file: AtomicFile) throws(CheckpointError) {
      switch storage {
      case .tensor(let tensor):
        try tensor.withBytes { bytes throws(CheckpointError) in try file.write(bytes) }
      case .bytes(let bytes): try file.write(bytes)
      case .stored(let source, let name):
        let elements = try source.elements(named: name)
        try elements.converted(to: type).withBytes { bytes throws(CheckpointError) in
          try file.write(bytes)
        }
        elements.releasePages()
      }
    }
  }

  /// A writer without tensors.
  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds a tensor in its own element type; one of the same name is replaced.
  public mutating func add(_ name: String, _ tensor: Tensor) {
    contents[TensorName(name)] = Content(
      type: StoredType(tensor.dtype), shape: tensor.shape, storage: .tensor(tensor.detached))
  }

  /// Adds integers as 64 bits each, with as many elements as `shape` (by default one axis) says.
  public mutating func add(_ name: String, integers: [Int], shape: [Int]? = nil) {
    let bytes = integers.flatMap { value in
      withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) }
    }
    add(name, bytes: bytes, type: .int64, shape: shape ?? [integers.count])
  }

  /// Adds elements as they are to stand in the file.
  public mutating func add(_ name: String, bytes: [UInt8], type: StoredType, shape: [Int]) {
    guard shape.allSatisfy({ $0 >= 0 }), type.byteCount(shape) == bytes.count else {
      misuse(
        "CheckpointWriter.add",
        "\(bytes.count) bytes for \(quoted(name)), which \(type.rawValue) of shape \(shape) "
          + "does not take")
    }
    contents[TensorName(name)] = Content(type: type, shape: shape, storage: .bytes(bytes))
  }

  /// Adds a tensor of another checkpoint, which is read, and converted to `type`, when it is written: a large model is
  /// never in memory as a whole.
  public mutating func add(
    _ name: String, from source: any CheckpointSource, named sourceName: String,
    as type: StoredType? = nil
  ) throws(CheckpointError) {
    guard let entry = source.entry(named: sourceName) else {
      throw .missing(path: source.path, name: sourceName)
    }
    contents[TensorName(name)] = Content(
      type: type ?? entry.type, shape: entry.shape, storage: .stored(source, name: sourceName))
  }

  /// Writes a safetensors file at `path` by way of a temporary one in the same folder, which is synchronised and renamed.
  public func write(to path: String) throws(CheckpointError) {
    let sorted = contents.sorted { a, b in
      a.value.type != b.value.type ? a.value.type > b.value.type : a.key < b.key
    }
    let header = header(sorted)
    guard header.count - 8 <= SafetensorsHeader.greatestLength else {
      throw .unwritable(
        path: path,
        reason: "the header would take \(header.count - 8) bytes, "
          + "at most \(SafetensorsHeader.greatestLength) are read")
    }
    if let (name, content) = sorted.first(where: { !$0.value.type.isSafetensors }) {
      throw .unwritable(
        path: path,
        reason: "safetensors files have no \(content.type.rawValue), which \(quoted(name.string)) "
          + "holds; widen it first")
    }
    guard contents[TensorName(SafetensorsHeader.metadataKey)] == nil else {
      throw .unwritable(path: path, reason: "no tensor can be named `__metadata__`")
    }
    let file = try AtomicFile(path: path)
    try file.write(header)
    for (_, content) in sorted { try content.write(to: file) }
    try file.commit()
  }

  private func header(_ sorted: [(key: TensorName, value: Content)]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { TensorName($0.key) < TensorName($1.key) }
        .map { "\(json($0.key)):\(json($0.value))" }
      members.append("\(json(SafetensorsHeader.metadataKey)):{\(texts.joined(separator: ","))}")
    }
    var offset = 0
    for (name, content) in sorted {
      let end = offset + content.byteCount
      let shape = content.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(json(name.string)):{\"dtype\":\"\(content.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  /// A string in JSON with the escapes of the reference writer: only those that have to be.
  private func json(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{8}": text += "\\b"
      case "\u{c}": text += "\\f"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
