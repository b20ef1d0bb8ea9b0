import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

@Suite struct ShardedCheckpointTests {
  /// Two shards with `a`, `b` and `c`, and an index with this map.
  private func index(_ folder: TemporaryFolder, _ map: String) throws -> String {
    for (name, tensors) in [("1.safetensors", ["a": 1.0, "b": 2]), ("2.safetensors", ["c": 3])] {
      var writer = CheckpointWriter(metadata: ["format": "pt", "shard": name])
      for (key, value) in tensors { writer.add(key, Tensor([value], shape: [1])) }
      try writer.write(to: folder.path(name))
    }
    let path = folder.path("model.safetensors.index.json")
    try Data("\n{\"metadata\": {\"total_size\": 24.0}, \"weight_map\": {\(map)}}\n".utf8)
      .write(to: URL(fileURLWithPath: path))
    return path
  }

  private let whole = #""c": "2.safetensors", "a": "1.safetensors", "b": "1.safetensors""#

  @Test func isOneSource() throws {
    let folder = try TemporaryFolder()
    let source = try openCheckpoint(path: index(folder, whole))
    #expect(source.entries.map(\.name) == ["a", "b", "c"])
    #expect(try source.tensor(named: "b").doubles == [2])
    #expect(try source.tensor(named: "c").doubles == [3])
    #expect(source.entry(named: "c")?.type == .float64 && source.entry(named: "d") == nil)
    #expect(source.metadata == ["format": "pt", "shard": "1.safetensors"])
    #expect(throws: CheckpointError.missing(path: source.path, name: "d")) {
      try source.tensor(named: "d")
    }
  }

  @Test func shardsMayBeOfPyTorch() throws {
    let folder = try TemporaryFolder()
    let path = try index(
      folder, whole + #", "weight": "pytorch_model-1.bin", "bias": "pytorch_model-1.bin""#)
    try FileManager.default.copyItem(
      atPath: Shared.golden.appendingPathComponent("torch/lightning.ckpt").path,
      toPath: folder.path("pytorch_model-1.bin"))
    let source = try ShardedCheckpoint(path: path)
    #expect(source.entries.count == 5)
    #expect(try source.tensor(named: "weight").shape == [3, 2])
  }

  /// A map that is refused, and a part of the reason.
  static let refused: [(map: String, reason: String)] = [
    (
      #""a": "1.safetensors", "b": "1.safetensors", "c": "3.safetensors""#,
      "3.safetensors: cannot open"
    ),
    (
      #""a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors""#,
      #"tensor "b" is in "1.safetensors", the index has it in "2.safetensors""#
    ),
    (#""a": "1.safetensors", "c": "2.safetensors""#, "the index has it nowhere"),
    (
      #""a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors", "d": "2.safetensors""#,
      #"tensor "d" is not in "2.safetensors""#
    ),
    (#""a": "../1.safetensors""#, "no name of a file beside it"),
    (#""a": "/etc/passwd""#, "no name of a file beside it"),
    (#""a": """#, "no name of a file beside it"),
    (#""a": "1.safetensors", "a": "1.safetensors""#, #"the tensor "a" twice"#),
    (#""a": 1"#, "expected a string"),
    (#""a": "model.safetensors.index.json""#, "begins like none of them"),
  ]

  @Test(arguments: refused) func wrongIndicesAreNamed(_ sample: (map: String, reason: String))
    throws
  {
    let folder = try TemporaryFolder()
    let path = try index(folder, sample.map)
    let error = #expect(throws: CheckpointError.self) { try openCheckpoint(path: path) }
    #expect(error?.description.contains(sample.reason) == true, "\(error?.description ?? "")")
  }

  @Test func anIndexWithoutAMapIsRefused() throws {
    let folder = try TemporaryFolder()
    try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.path("i.json")))
    #expect(
      throws: CheckpointError.malformed(
        path: folder.path("i.json"), reason: "not a whole shard index: expected a `weight_map`")
    ) { try openCheckpoint(path: folder.path("i.json")) }
  }
}
