import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Small valid files with bytes changed, thousands of times: each opens or gives an error, and what opens can be read.
@Suite struct CheckpointFuzzTests {
  static let files = [
    "checkpoint.safetensors", "torch/zip.pt", "torch/deflated.pt", "torch/legacy.pt",
    "torch/big.pt", "torch/lightning.ckpt", "gguf/types.gguf",
  ]

  @Test(arguments: files) func damagedFilesNeverTrap(_ name: String) throws {
    let whole = Array(try Data(contentsOf: Shared.golden.appendingPathComponent(name)))
    let count = Shared.runsSlowTests ? 40_000 : 4_000
    var generator = Mutator(state: 0x5eed)
    var opened = 0
    for _ in 0..<count {
      let bytes = generator.damaged(whole)
      guard
        let source = try? openCheckpoint(MappedFile(path: "f", contents: bytes), allowsIndex: false)
      else { continue }
      opened += 1
      read(source)
    }
    #expect(opened > 0 && opened < count)
  }

  @Test func damagedIndicesNeverTrap() throws {
    let folder = try TemporaryFolder()
    var writer = CheckpointWriter()
    writer.add("a", Tensor([1.0], shape: [1]))
    try writer.write(to: folder.path("1.safetensors"))
    let whole = Array(
      #"{"metadata": {"n": [1.5e3, null]}, "weight_map": {"a": "1.safetensors"}}"#.utf8)
    var generator = Mutator(state: 7)
    for _ in 0..<4_000 {
      let file = try MappedFile(path: folder.path("i"), contents: generator.damaged(whole))
      if let source = try? openCheckpoint(file, allowsIndex: true) { read(source) }
    }
  }

  /// Reads everything small; what an honest machine would not hold is left.
  private func read(_ source: any CheckpointSource) {
    for entry in source.entries where entry.count < 1 << 20 {
      _ = try? source.tensor(named: entry.name)
      _ = try? source.integers(named: entry.name)
      if let elements = try? source.elements(named: entry.name) {
        _ = elements.withBytes { $0.reduce(0, ^) }
        if let rows = entry.shape.first { _ = try? elements.rows(rows / 2..<rows) }
      }
    }
    _ = source.metadata.count
  }
}

/// Changes bytes at random, the same ones each run (SplitMix64).
private struct Mutator {
  var state: UInt64

  private mutating func next(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return Int((z ^ z >> 31) % UInt64(max(bound, 1)))
  }

  mutating func damaged(_ whole: [UInt8]) -> [UInt8] {
    var bytes = whole
    for _ in 0...next(4) {
      let place = next(bytes.count)
      switch next(7) {
      case 0: bytes[place] ^= 1 << next(8)
      case 1: bytes[place] = UInt8(next(256))
      case 2:
        for index in place..<min(place + 1 << next(4), bytes.count) {
          bytes[index] = [0, 0xff, 0x7f, 0x80][next(4)]
        }
      case 3: bytes.remove(at: place)
      case 4: bytes.insert(UInt8(next(256)), at: place)
      case 5:
        let end = min(place + next(40), bytes.count)
        bytes.insert(contentsOf: bytes[place..<end], at: next(bytes.count))
      default: if next(8) == 0 { bytes.removeSubrange(place...) }
      }
      if bytes.isEmpty { bytes = [0] }
    }
    return bytes
  }
}
