import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct RandomConformanceTests {
  /// The known answers of the Random123 library.
  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func philoxGivesTheKnownAnswers() throws {
    let lines = try text("random123/kat_vectors").split(separator: "\n")
      .filter { $0.hasPrefix("philox4x32 10 ") }
    #expect(lines.count == 3)
    for line in lines {
      let words = line.split(separator: " ").dropFirst(2).compactMap { UInt64($0, radix: 16) }
      let block = Philox.block(
        key: words[4] | words[5] << 32, low: words[0] | words[1] << 32,
        high: words[2] | words[3] << 32)
      #expect((0..<4).map { UInt64(block[$0]) } == Array(words[6...]))
    }
  }

  /// `torch.randn((3, 4), device="cuda")` and `(8, 5)` after `manual_seed(0)`.
  @Test func philoxGivesCUDAsNumbers() {
    let expected: [Float] = [
      -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122,
      -0.32838709, -1.07454231, -0.36314407, -1.67105067, 2.26550497,
    ]
    var generator = PhiloxGenerator(seed: 0)
    let values = generator.normalFloats(12)
    for (value, known) in zip(values, expected) { #expect(abs(value - known) < 2e-6) }
    #expect(generator.offset == 1)
  }

  /// With more elements than threads, a thread's next words make the elements a grid further on.
  @Test func philoxWalksTheGrid() {
    var (wide, narrow) = (PhiloxGenerator(seed: 3), PhiloxGenerator(seed: 3, blocks: 1))
    let (first, all) = (wide.normalFloats(256), narrow.normalFloats(1500))
    #expect(Array(all[..<256]) == first)
    #expect(narrow.offset == 2)
    let second = wide.normalFloats(256)
    #expect(Array(all[1024..<1280]) == second)
    for thread in [0, 1, 255] {
      let block = Philox.block(key: 3, low: 0, high: UInt64(thread))
      let radius = (-2 * log((Double(block[2]) + 0.5) * 0x1p-32)).squareRoot()
      let angle = 2 * Double.pi * (Double(block[3]) + 0.5) * 0x1p-32
      #expect(abs(Double(all[512 + thread]) - radius * sin(angle)) < 2e-6)
      #expect(abs(Double(all[768 + thread]) - radius * cos(angle)) < 2e-6)
    }
  }

  /// NumPy's raw draws of an engine seeded through `SeedSequence`.
  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func mersenneTwisterGivesNumPysWords() throws {
    var engine = MersenneTwister(
      state: SeedSequence.state(of: 0xdead_beaf), position: MersenneTwister.size - 1)
    let lines = try text("numpy/mt19937-testset-1.csv").split(separator: "\n").dropFirst()
    #expect(lines.count == 1000)
    let words = lines.compactMap { $0.split(separator: "x").last.flatMap { UInt32($0, radix: 16) } }
    #expect(words == lines.map { _ in engine.next() })
  }

  private struct TorchFile: Decodable {
    struct Draw: Decodable {
      let seed: UInt64, n: Int, first: [Float], last: [Float], sum_f64: Double, sumsq_f64: Double
    }
    struct Uniforms: Decodable {
      let seed: UInt64, n: Int, multiples: [Float]
      enum CodingKeys: String, CodingKey {
        case seed, n
        case multiples = "exact_times_2^24"
      }
    }
    struct Sequence: Decodable {
      struct Call: Decodable { let n: Int, values: [Float] }
      let seed: UInt64, calls: [Call]
    }
    let randn: [Draw], rand: [Uniforms], sequence: [Sequence]
  }

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func torchAgreesWithThePublishedDraws() throws {
    let file = try JSONDecoder().decode(
      TorchFile.self, from: Data(try text("rng/torch_cpu.json").utf8))
    #expect(!file.randn.isEmpty)
    for draw in file.randn {
      var generator = TorchGenerator(seed: draw.seed)
      let values = generator.normalFloats(draw.n)
      let sum = values.reduce(0) { $0 + Double($1) }
      let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
      #expect(zip(values, draw.first).allSatisfy { abs($0 - $1) < 2e-6 })
      #expect(zip(values.suffix(draw.last.count), draw.last).allSatisfy { abs($0 - $1) < 2e-6 })
      #expect(abs(sum - draw.sum_f64) < 1e-6 * Double(draw.n) + 1e-5)
      #expect(abs(squares - draw.sumsq_f64) < 1e-6 * Double(draw.n) + 1e-5)
    }
  }

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func torchAgreesOverSeveralCalls() throws {
    let file = try JSONDecoder().decode(
      TorchFile.self, from: Data(try text("rng/torch_cpu.json").utf8))
    #expect(!file.rand.isEmpty && !file.sequence.isEmpty)
    for draw in file.rand {
      var generator = TorchGenerator(seed: draw.seed)
      let values = generator.uniformFloats(draw.n)
      #expect(values.prefix(draw.multiples.count).map { $0 * 0x1p24 } == draw.multiples)
    }
    for sequence in file.sequence {
      var generator = TorchGenerator(seed: sequence.seed)
      for call in sequence.calls {
        let values = generator.normalFloats(call.n)
        #expect(zip(values, call.values).allSatisfy { abs($0 - $1) < 2e-6 })
      }
    }
  }

  private struct NumPyFile: Decodable {
    struct Draw: Decodable {
      let seed: UInt64, n: Int, first: [Double], last: [Double]
      let rand16: [Double], randint1000_16: [Int], permutation10: [Int]
    }
    let legacy_randn: [Draw]
  }

  @Test(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
  func numpyGivesTheRecordedDraws() throws {
    let file = try JSONDecoder().decode(
      NumPyFile.self, from: Data(try text("rng/numpy.json").utf8))
    #expect(!file.legacy_randn.isEmpty)
    for draw in file.legacy_randn {
      var generator = NumPyGenerator(seed: draw.seed)
      let values = generator.normalDoubles(draw.n)
      #expect(Array(values.prefix(draw.first.count)) == draw.first)
      #expect(Array(values.suffix(draw.last.count)) == draw.last)
      generator = NumPyGenerator(seed: draw.seed)
      #expect(generator.uniformDoubles(16) == draw.rand16)
      generator = NumPyGenerator(seed: draw.seed)
      #expect(generator.integers(below: 1000, count: 16) == draw.randint1000_16)
      generator = NumPyGenerator(seed: draw.seed)
      #expect(generator.permutation(10) == draw.permutation10)
    }
  }

  private func text(_ path: String) throws -> String {
    try String(
      contentsOf: Shared.folder.appendingPathComponent("conformance/" + path), encoding: .utf8)
  }
}

/// NumPy's `SeedSequence` (M. O'Neill's `seed_seq_fe`), for an entropy of 32 bits.
private enum SeedSequence {
  static func state(of entropy: UInt32) -> [UInt32] {
    let pool = mixed(entropy)
    var factor: UInt32 = 0x8b51_f9dd
    var words = (0..<MersenneTwister.size).map { i -> UInt32 in
      var value = pool[i % 4] ^ factor
      factor = factor &* 0x58f3_8ded
      value = value &* factor
      return value ^ value >> 16
    }
    words[0] = 0x8000_0000
    return words
  }

  private static func mixed(_ entropy: UInt32) -> [UInt32] {
    var factor: UInt32 = 0x43b0_d7e5
    func hash(_ word: UInt32) -> UInt32 {
      var value = word ^ factor
      factor = factor &* 0x931e_8875
      value = value &* factor
      return value ^ value >> 16
    }
    var pool = [entropy, 0, 0, 0].map(hash)
    for source in 0..<4 {
      for target in 0..<4 where source != target {
        let value = pool[target] &* 0xca01_f9dd &- hash(pool[source]) &* 0x4973_f715
        pool[target] = value ^ value >> 16
      }
    }
    return pool
  }
}
