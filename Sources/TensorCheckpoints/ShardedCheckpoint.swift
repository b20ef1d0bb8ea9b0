import Foundation
import TensorCore

/// A checkpoint in several files with an index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`), as
/// Hugging Face's libraries write it: `{"metadata": {...}, "weight_map": {"name": "file", ...}}`.
///
/// The files lie beside the index, may be of any format, and together have exactly the tensors that it lists, each in
/// the file that it names.
public struct ShardedCheckpoint: CheckpointSource {
  /// Where the index is.
  public let path: String
  /// The texts of all files; of one key the first file's.
  public let metadata: [String: String]
  private let shards: [any CheckpointSource]
  private let places: [TensorName: Int]

  /// Opens the index at `path` and every file that it names. Throws ``CheckpointError``: the file's own where one cannot
  /// be read, ``CheckpointError/malformed(path:reason:)`` where a tensor is not where the index says.
  public init(path: String) throws(CheckpointError) {
    try self.init(MappedFile(path: path))
  }

  init(_ file: MappedFile) throws(CheckpointError) {
    path = file.path
    let index = try ShardIndex(file)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    var shards: [any CheckpointSource] = []
    var places: [TensorName: Int] = [:]
    for (number, name) in index.files.enumerated() {
      let shard = try openCheckpoint(
        MappedFile(path: folder.appendingPathComponent(name).path), allowsIndex: false)
      for entry in shard.entries {
        let tensor = TensorName(entry.name)
        guard index.places[tensor] == number else {
          let listed = index.places[tensor].map { "in \(quoted(index.files[$0]))" } ?? "nowhere"
          throw .malformed(
            path: file.path,
            reason:
              "tensor \(quoted(entry.name)) is in \(quoted(name)), the index has it \(listed)")
        }
        places[tensor] = number
      }
      shards.append(shard)
    }
    if let missing = index.places.keys.filter({ places[$0] == nil }).min() {
      let shard = index.files[index.places[missing] ?? 0]
      throw .malformed(
        path: file.path,
        reason: "tensor \(quoted(missing.string)) is not in \(quoted(shard)), as the index says")
    }
    self.shards = shards
    self.places = places
    metadata = shards.reduce(into: [:]) { $0.merge($1.metadata) { first, _ in first } }
  }

  /// Every tensor, file by file.
  public var entries: [CheckpointEntry] { shards.flatMap(\.entries) }

  /// What the files say of the tensor of this name; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    places[TensorName(name)].flatMap { shards[$0].entry(named: name) }
  }

  /// The tensor of this name, in its stored type and layout.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    try shard(of: name).tensor(named: name)
  }

  /// The elements of the tensor of this name as they are stored.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    try shard(of: name).elements(named: name)
  }

  private func shard(of name: String) throws(CheckpointError) -> any CheckpointSource {
    guard let place = places[TensorName(name)] else { throw .missing(path: path, name: name) }
    return shards[place]
  }
}

/// Which tensor is in which file.
private struct ShardIndex {
  /// The files' names, sorted.
  let files: [String]
  /// For each tensor, the number of its file.
  let places: [TensorName: Int]

  init(_ file: MappedFile) throws(CheckpointError) {
    let format = "shard index"
    var map: [TensorName: String] = [:]
    var hasMap = false
    do throws(JSONScanner.Failure) {
      guard String(validating: file.bytes, as: UTF8.self) != nil else {
        throw JSONScanner.Failure(reason: "the text is not UTF-8", offset: 0)
      }
      var scanner = JSONScanner(file.bytes)
      try scanner.object { (scanner: inout JSONScanner, key: String) throws(JSONScanner.Failure) in
        guard key == "weight_map" else { return try scanner.skip() }
        if hasMap { throw scanner.failure("`weight_map` twice") }
        hasMap = true
        map = try Self.map(&scanner)
      }
      try scanner.expectEnd()
    } catch {
      throw FormatFault("\(error.reason), at byte \(error.offset)")
        .error(path: file.path, format: format)
    }
    guard hasMap else {
      throw FormatFault("expected a `weight_map`").error(path: file.path, format: format)
    }
    let files = Set(map.values).sorted()
    if let odd = files.first(where: { $0.contains("/") || $0 == ".." || $0 == "." || $0.isEmpty }) {
      throw FormatFault("\(quoted(odd)) is no name of a file beside it")
        .error(path: file.path, format: format)
    }
    let numbers = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1, $0) })
    self.files = files
    places = map.compactMapValues { numbers[$0] }
  }

  private static func map(
    _ scanner: inout JSONScanner
  ) throws(JSONScanner.Failure) -> [TensorName: String] {
    var map: [TensorName: String] = [:]
    try scanner.object { (scanner: inout JSONScanner, key: String) throws(JSONScanner.Failure) in
      let file = try scanner.string()
      guard map.updateValue(file, forKey: TensorName(key)) == nil else {
        throw scanner.failure("the tensor \(quoted(key)) twice")
      }
    }
    return map
  }
}
