import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

@Suite struct CheckpointWriterTests {
  @Test func savesTheBytesItLoaded() throws {
    let original = Shared.golden.appendingPathComponent("checkpoint.safetensors")
    let file = try SafetensorsFile(path: original.path)
    var writer = CheckpointWriter(metadata: file.metadata)
    for entry in file.entries.reversed() {
      if entry.type.dtype != nil {
        writer.add(entry.name, try file.tensor(named: entry.name))
      } else {
        let bytes = try file.withBytes(named: entry.name) { Array($0) }
        writer.add(entry.name, bytes: bytes, type: entry.type, shape: entry.shape)
      }
    }
    let folder = try TemporaryFolder()
    try writer.write(to: folder.path("copy"))
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder.path("copy"))) == Data(contentsOf: original))
  }

  @Test func integersAndMetadataComeBack() throws {
    let folder = try TemporaryFolder()
    let metadata = ["b": "2", "a": "\u{1}\"\\", "ä": "x"]
    var writer = CheckpointWriter(metadata: metadata)
    writer.add("n", integers: [.min, 0, .max, 5], shape: [2, 2])
    writer.add("n2", integers: [])
    try writer.write(to: folder.path("f"))
    let file = try SafetensorsFile(path: folder.path("f"))
    #expect(file.metadata == metadata)
    #expect(try file.integers(named: "n") == [.min, 0, .max, 5])
    #expect(file.entry(named: "n")?.shape == [2, 2])
    #expect(try file.integers(named: "n2").isEmpty)
    let text = try String(contentsOfFile: folder.path("f"), encoding: .isoLatin1)
    #expect(text.contains(#"{"__metadata__":{"a":"\u0001\"\\","b":"2","#))
  }

  @Test func nothingIsLeftOfAFailure() throws {
    let folder = try TemporaryFolder()
    var writer = CheckpointWriter()
    writer.add("a", Tensor([1.0, 2], shape: [2]))
    #expect(
      throws: CheckpointError.file(
        path: folder.path("no/f"), operation: "write", reason: "No such file or directory")
    ) { try writer.write(to: folder.path("no/f")) }
    try FileManager.default.createDirectory(
      atPath: folder.path("taken/inner"), withIntermediateDirectories: true)
    #expect(throws: CheckpointError.self) { try writer.write(to: folder.path("taken")) }
    writer.add("__metadata__", Tensor([1.0, 2], shape: [2]))
    #expect(
      throws: CheckpointError.unwritable(
        path: folder.path("f"), reason: "no tensor can be named `__metadata__`")
    ) { try writer.write(to: folder.path("f")) }
    #expect(folder.names == ["taken"])
  }

  @Test func replacesAFileWhole() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("f")
    for value in [1.0, 2] {
      var writer = CheckpointWriter()
      writer.add("a", Tensor([value], shape: [1]))
      try writer.write(to: path)
      #expect(try SafetensorsFile(path: path).tensor(named: "a").doubles == [value])
    }
    #expect(folder.names == ["f"])
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    try CheckpointWriter().write(to: link)
    #expect(try SafetensorsFile(path: path).entries.isEmpty)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect((mode ?? 0) & 0o600 == 0o600 && (mode ?? 0) & 0o111 == 0)
  }
}
