import Foundation
import TensorCore
import TestSupport
import Testing

/// Replays a file of calls on a generator and compares every bit with what PyTorch or NumPy gave.
private struct Replay<Generator: RandomGenerator> {
  var generator: Generator
  let make: (UInt64) -> Generator
  var checked = 0

  mutating func run(_ file: String) throws {
    let text = try String(
      contentsOf: Shared.golden.appendingPathComponent(file), encoding: .utf8)
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if fields[0] == "seed" {
        generator = make(try #require(UInt64(fields[1])))
      } else {
        try call(fields)
        checked += 1
      }
    }
  }

  private mutating func call(_ fields: [String]) throws {
    let arguments = fields[1].split(separator: " ").map(String.init)
    if arguments[0] == "f32" {
      compare(try draw(fields[0], arguments, floats: true).map(\.f32), fields)
    } else {
      compare(try draw(fields[0], arguments, floats: false).map(\.f64), fields)
    }
  }

  private struct Bits { var f32: UInt32 = 0, f64: UInt64 = 0 }

  private mutating func draw(_ call: String, _ arguments: [String], floats: Bool) throws -> [Bits] {
    let numbers = arguments.map { Double($0) ?? 0 }
    let integers = arguments.map { Int($0) ?? 0 }
    switch call {
    case "randint":
      return generator.integers(below: integers[0], count: integers[1]).map {
        Bits(f64: UInt64($0))
      }
    case "randperm":
      return generator.permutation(integers[0]).map { Bits(f64: UInt64($0)) }
    case "randn", "normal":
      let (mean, deviation) = call == "randn" ? (0, 1) : (numbers[2], numbers[3])
      return floats
        ? generator.normalFloats(integers[1], mean: mean, deviation: deviation)
          .map { Bits(f32: $0.bitPattern) }
        : generator.normalDoubles(integers[1], mean: mean, deviation: deviation)
          .map { Bits(f64: $0.bitPattern) }
    case "rand", "uniform":
      let (low, high) = call == "rand" ? (0, 1) : (numbers[2], numbers[3])
      return floats
        ? generator.uniformFloats(integers[1], low: low, high: high)
          .map { Bits(f32: $0.bitPattern) }
        : generator.uniformDoubles(integers[1], low: low, high: high)
          .map { Bits(f64: $0.bitPattern) }
    default: throw CocoaError(.featureUnsupported)
    }
  }

  private func compare<Word: FixedWidthInteger>(_ values: [Word], _ fields: [String]) {
    let head = fields[3].split(separator: " ").compactMap { Word($0, radix: 16) }
    let tail = fields[4].split(separator: " ").compactMap { Word($0, radix: 16) }
    let name = "\(fields[0]) \(fields[1])"
    #expect(Array(values.prefix(head.count)) == head, "\(name), first values")
    #expect(Array(values.suffix(tail.count)) == tail, "\(name), last values")
    #expect(String(fnv(values), radix: 16) == trimmed(fields[2]), "\(name), some value")
  }

  private func trimmed(_ text: String) -> String {
    let digits = text.drop { $0 == "0" }
    return digits.isEmpty ? "0" : String(digits)
  }

  /// FNV-1a over the little-endian bytes.
  private func fnv<Word: FixedWidthInteger>(_ words: [Word]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for word in words {
      for shift in stride(from: 0, to: Word.bitWidth, by: 8) {
        hash = (hash ^ UInt64(truncatingIfNeeded: (word >> Word(shift)) & 0xff)) &* 0x100_0000_01b3
      }
    }
    return hash
  }
}

@Suite struct RandomGoldenTests {
  /// Every call of Tests/Golden/make_random.py; the bits are those of every level of kernels (`TENSOR_KERNELS`).
  @Test func torchGivesPyTorchsBits() throws {
    var replay = Replay(generator: TorchGenerator(seed: 0)) { TorchGenerator(seed: $0) }
    try replay.run("random_torch.tsv")
    #expect(replay.checked > 200)
  }

  @Test func numpyGivesNumPysBits() throws {
    var replay = Replay(generator: NumPyGenerator(seed: 0)) { NumPyGenerator(seed: $0) }
    try replay.run("random_numpy.tsv")
    #expect(replay.checked > 200)
  }
}
