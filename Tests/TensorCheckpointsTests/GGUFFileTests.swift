import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

@Suite struct GGUFFileTests {
  private func golden() throws -> GGUFFile {
    try GGUFFile(path: Shared.golden.appendingPathComponent("gguf/types.gguf").path)
  }

  private static let bytes = try? Array(
    Data(contentsOf: Shared.golden.appendingPathComponent("gguf/types.gguf")))

  @Test func widensAsTheReferencePackage() throws {
    let file = try golden()
    let widened = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("gguf/widened.safetensors").path)
    #expect(widened.entries.count == 12)
    for entry in widened.entries {
      let expected = try widened.tensor(named: entry.name)
      let found = try file.tensor(named: entry.name).converted(to: .float32)
      // A product of three numbers and a difference, in float32.
      expectClose(found, expected, tolerance: 4 * 0x1p-24, entry.name)
      let elements = try file.elements(named: entry.name)
      let rows = try elements.rows(1..<entry.shape[0])
      let width = entry.shape.dropFirst().reduce(1, *)
      #expect(rows.shape == [entry.shape[0] - 1] + entry.shape.dropFirst())
      expectSame(rows.floats, Array(found.floats.dropFirst(width)), "rows of \(entry.name)")
      #expect(try elements.rows(0..<0).count == 0)
    }
  }

  @Test func keepsTheStoredType() throws {
    let file = try golden()
    let types = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, $0.type) })
    for type in [StoredType.q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K] {
      #expect(types[type.rawValue] == type)
    }
    #expect(try file.withBytes(named: "Q8_0") { $0.count } == 3 * 16 * 34)
    #expect(try file.tensor(named: "float16").dtype == .float16)
    #expect(try file.tensor(named: "bfloat16").dtype == .bfloat16)
    #expect(try file.tensor(named: "float64").dtype == .float64)
    #expect(try file.integers(named: "int32") == [-1, 1 << 31 - 1])
    #expect(file.entry(named: "reshaped")?.shape == [2, 32, 3, 3])
    var writer = CheckpointWriter()
    writer.add(
      "q", bytes: try file.withBytes(named: "Q8_0") { Array($0) }, type: .q8_0, shape: [3, 512])
    let folder = try TemporaryFolder()
    #expect(throws: CheckpointError.self) { try writer.write(to: folder.path("f")) }
    #expect(folder.names == [])
  }

  @Test func readsTheMetadata() throws {
    let file = try golden()
    #expect(file.values["general.architecture"] == .text("sd"))
    #expect(file.values["a.count"] == .integer(7) && file.values["a.negative"] == .integer(-5))
    #expect(file.values["a.rate"] == .number(0.25) && file.values["a.exact"] == .number(0.1))
    #expect(file.values["a.flag"] == .truth(true))
    #expect(file.values["a.texts"] == .array([.text("x"), .text("y\u{e4}")]))
    #expect(file.metadata["a.numbers"] == "20 values" && file.metadata["a.texts"] == "[x, y\u{e4}]")
  }

  @Test func readsVersion2AndNoOther() throws {
    var bytes = try #require(Self.bytes)
    bytes[4] = 2
    #expect(try opened(bytes).entries == golden().entries)
    bytes[4] = 1
    expectRefused(bytes, "version 1, expected 2 or 3")
    bytes[4...7] = [0, 0, 0, 3]
    expectRefused(bytes, "big-endian")
  }

  @Test func damageIsNamed() throws {
    let bytes = try #require(Self.bytes)
    func changed(_ offset: Int, _ values: [UInt8]) -> [UInt8] {
      bytes.replacing(at: offset, with: values)
    }
    let huge = [UInt8](repeating: 0xff, count: 8)
    expectRefused(changed(8, huge), "")
    expectRefused(changed(16, huge), "")
    expectRefused(changed(24, huge), "cut off")
    let name = try #require(bytes.place(of: Array("Q4_0".utf8)))
    expectRefused(changed(name + 4, [9, 0, 0, 0]), "has 9 axes")
    expectRefused(changed(name + 8, [0xff, 1]), "no whole number of blocks of Q4_0")
    expectRefused(changed(name + 8, huge), "an axis longer than")
    expectRefused(changed(name + 16, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]), "blocks")
    expectRefused(changed(name + 24, [10, 0, 0, 0]), "type 10 (Q2_K), which is not read")
    expectRefused(changed(name + 24, [99, 0, 0, 0]), "type 99, which is not read")
    expectRefused(changed(name + 28, [1]), "in steps of 32")
    expectRefused(changed(name + 28, [0, 0, 0xff, 0xff]), "cut off: tensor \"Q4_0\"")
    expectRefused(changed(name + 3, [0x31]), "\"Q4_1\" is there twice")
    let numbers = try #require(bytes.place(of: Array("a.numbers".utf8))) + 9
    expectRefused(changed(numbers + 8, huge), "values before byte")
    expectRefused(changed(numbers, [77]), "unknown type 77")
  }

  private func opened(_ bytes: [UInt8]) throws -> any CheckpointSource {
    try openCheckpoint(MappedFile(path: "f", contents: bytes), allowsIndex: false)
  }

  private func expectRefused(
    _ bytes: [UInt8], _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: CheckpointError.self, sourceLocation: sourceLocation) {
      try opened(bytes)
    }
    let text = error?.description ?? ""
    #expect(
      text.hasPrefix("f: not a whole GGUF file: ") && (reason.isEmpty || text.contains(reason)),
      "\(text)", sourceLocation: sourceLocation)
  }
}

extension [UInt8] {
  fileprivate func replacing(at offset: Int, with values: [UInt8]) -> [UInt8] {
    Array(self[..<offset]) + values + Array(self[(offset + values.count)...])
  }

  fileprivate func place(of text: [UInt8]) -> Int? {
    indices.first { self[$0...].starts(with: text) }
  }
}
