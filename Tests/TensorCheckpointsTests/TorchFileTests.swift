import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

@Suite struct TorchFileTests {
  private static func golden(_ name: String) -> String {
    Shared.golden.appendingPathComponent("torch/\(name)").path
  }

  /// Types that the older format and `big.pt` do not have.
  private static let newTypes = ["uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2"]

  @Test(arguments: ["zip.pt", "deflated.pt", "legacy.pt", "big.pt"])
  func hasTheTensorsOfTheReferenceWriter(_ name: String) throws {
    let file = try TorchFile(path: Self.golden(name))
    let dense = try SafetensorsFile(path: Self.golden("zip.safetensors"))
    let lacks = ["zip.pt", "deflated.pt"].contains(name) ? [] : Self.newTypes.map { "types.\($0)" }
    let expected = Set(dense.entries.map(\.name)).subtracting(lacks)
    #expect(Set(file.entries.map(\.name)) == expected && file.entries.count == expected.count)
    for entry in file.entries {
      #expect(dense.entry(named: entry.name) == entry)
      let bytes = try file.withBytes(named: entry.name) { Array($0) }
      expectSame(bytes, try dense.withBytes(named: entry.name) { Array($0) }, entry.name)
      guard entry.type.dtype != nil else { continue }
      let tensor = try file.tensor(named: entry.name)
      #expect(tensor.dtype == entry.type.dtype && tensor.shape == entry.shape)
    }
    #expect(
      file.metadata == ["epoch": "42", "rate": "0.25", "done": "false", "name": "test"])
  }

  @Test func readsOnlyTheStateOfALightningFile() throws {
    let file = try TorchFile(path: Self.golden("lightning.ckpt"))
    #expect(file.entries.map(\.name) == ["weight", "bias"])
    #expect(try file.tensor(named: "weight").shape == [3, 2])
    #expect(file.metadata["global_step"] == "470000" && file.metadata["epoch"] == "3")
    #expect(throws: CheckpointError.missing(path: file.path, name: "state_dict.bias")) {
      try file.tensor(named: "state_dict.bias")
    }
  }

  @Test func denseTensorsStayInTheFile() throws {
    let file = try TorchFile(path: Self.golden("zip.pt"))
    func place(_ name: String) throws -> Int {
      try file.withBytes(named: name) { Int(bitPattern: $0.baseAddress) }
    }
    #expect(try place("views.whole") == place("views.whole"))
    #expect(try place("views.slice") == place("views.whole") + 7 * 4)
    let half = try file.tensor(named: "types.float16")
    #expect(half.dtype == .float16)
    #expect(try Int(bitPattern: half.readAddress) == place("types.float16"))
    let transposed = try file.tensor(named: "views.transposed")
    #expect(transposed.doubles.prefix(3) == [-3, -1.5, 0])
  }

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func answersAsPyTorch() throws {
    let folder = Shared.folder.appendingPathComponent("conformance/torch-files")
    let json = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
    let expected = try JSONDecoder(nonConforming: ()).decode([String: Outcome].self, from: json)
    #expect(expected.count == 56)
    for (name, outcome) in expected {
      let path = folder.appendingPathComponent(name).path
      guard outcome.loads else {
        #expect(throws: CheckpointError.self, "\(name)") { try TorchFile(path: path) }
        continue
      }
      let file = try openCheckpoint(path: path)
      let tensors = outcome.tensors ?? [:]
      #expect(Set(file.entries.map(\.name)) == Set(tensors.keys), "\(name)")
      for (key, tensor) in tensors { try tensor.check(file, key, "\(name): \(key)") }
    }
  }

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func theTinyAutoencoderIsTheSameInBothFormats() throws {
    for part in ["encoder", "decoder"] {
      let path = Shared.folder.appendingPathComponent("weights/taef2_\(part)").path
      let (torch, safe) = (
        try openCheckpoint(path: path + ".pth"), try openCheckpoint(path: path + ".safetensors")
      )
      #expect(Set(torch.entries) == Set(safe.entries) && !torch.entries.isEmpty)
      for entry in safe.entries {
        expectSame(
          try torch.withBytes(named: entry.name) { Array($0) },
          try safe.withBytes(named: entry.name) { Array($0) }, entry.name)
      }
    }
  }
}

/// What PyTorch makes of a file.
private struct Outcome: Decodable {
  struct Values: Decodable {
    let shape: [Int]
    let dtype: String
    let values: [Double]
    let sum: Double

    static let types = [
      "float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "bool": "BOOL",
      "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8",
    ]

    func check(_ file: any CheckpointSource, _ key: String, _ label: String) throws {
      let entry = try #require(file.entry(named: key))
      #expect(entry.shape == shape && entry.type.rawValue == Self.types[dtype], "\(label)")
      let found =
        entry.type.isInteger
        ? try file.integers(named: key).map(Double.init) : try file.tensor(named: key).doubles
      expectSame(
        found.prefix(16).map(\.description), values.map(\.description), label)
      // The script adds the finite values up in another order, in double precision.
      let finite = found.filter(\.isFinite)
      let scale = finite.reduce(0) { $0 + abs($1) }
      #expect(abs(finite.reduce(0, +) - sum) <= 1e-12 * scale, "\(label)")
    }
  }

  let loads: Bool
  let tensors: [String: Values]?
}

extension JSONDecoder {
  /// With the names that Python's writer gives numbers that are none.
  fileprivate convenience init(nonConforming: Void) {
    self.init()
    allowsJSON5 = true
  }
}
