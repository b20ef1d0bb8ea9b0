import Foundation
import TensorCore
import Testing

/// What holds for every generator: its state as a value, its checks, fair integers and orders.
@Suite struct RandomStateTests {
  static let generators: [SeededGenerator] =
    GeneratorKind.allCases.map { $0.generator(seed: 1 << 33 + 77) }
    + [.philox(PhiloxGenerator(seed: 5, blocks: 3))]
    + [.counter(CounterGenerator(seed: 9, stream: .max, position: 3))]

  @Test func namesAreTheCommandLines() {
    #expect(GeneratorKind.allCases.map(\.rawValue) == ["torch", "numpy", "philox"])
  }

  /// One draw of each kind, as bits.
  private func everything(_ generator: inout SeededGenerator) -> [UInt64] {
    generator.normalFloats(5).map { UInt64($0.bitPattern) }
      + generator.normalDoubles(3).map(\.bitPattern)
      + generator.normalFloats(37, mean: 1, deviation: 2).map { UInt64($0.bitPattern) }
      + generator.uniformFloats(9, low: -1, high: 2).map { UInt64($0.bitPattern) }
      + generator.uniformDoubles(2).map(\.bitPattern)
      + generator.integers(below: 1 << 40, count: 3).map { UInt64($0) }
      + generator.permutation(6).map { UInt64($0) }
  }

  @Test(arguments: generators) func goesOnFromAnEncodedState(_ start: SeededGenerator) throws {
    var generator = start
    let first = everything(&generator)
    let data = try JSONEncoder().encode(generator)
    let rest = everything(&generator)
    var decoded = try JSONDecoder().decode(SeededGenerator.self, from: data)
    #expect(everything(&decoded) == rest)
    #expect(decoded == generator)
    #expect(first != rest)
    var again = start
    #expect(everything(&again) == first)
  }

  @Test func damagedStatesAreRefused() throws {
    let data = try JSONEncoder().encode(TorchGenerator(seed: 1))
    let text = try #require(String(bytes: data, encoding: .utf8))
    for (find, replacement) in [("\"position\":624", "\"position\":625"), ("[1,", "[")] {
      #expect(text.contains(find))
      let damaged = Data(text.replacingOccurrences(of: find, with: replacement).utf8)
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(TorchGenerator.self, from: damaged)
      }
    }
  }

  @Test(arguments: generators) func ordersAreFair(_ start: SeededGenerator) {
    var generator = start
    var counts: [[Int]: Int] = [:]
    let draws = 24_000
    for _ in 0..<draws { counts[generator.permutation(4), default: 0] += 1 }
    #expect(counts.count == 24)
    #expect(counts.keys.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
    #expect(chiSquare(Array(counts.values)) < 60, "23 degrees of freedom: above in 1 of 30,000")
    #expect(generator.permutation(0).isEmpty && generator.permutation(1) == [0])
  }

  @Test(arguments: generators) func integersAreFair(_ start: SeededGenerator) {
    var generator = start
    var counts = [Int](repeating: 0, count: 10)
    for draw in generator.integers(below: 10, count: 50_000) { counts[draw] += 1 }
    #expect(chiSquare(counts) < 40, "9 degrees of freedom: above in 1 of 130,000")
    #expect(generator.integers(below: 1, count: 3) == [0, 0, 0])
  }

  @Test(arguments: generators) func momentsAreThoseAsked(_ start: SeededGenerator) {
    var generator = start
    let count = 200_000
    let floats = generator.normalFloats(count, mean: 3, deviation: 0.5).map { Double($0) }
    let doubles = generator.normalDoubles(count, mean: 3, deviation: 0.5)
    for values in [floats, doubles] {
      let z = values.map { ($0 - 3) / 0.5 }
      for (power, expected, deviation) in [(1, 0.0, 1.0), (2, 1, 2), (3, 0, 15), (4, 3, 96)] {
        let moment = z.map { pow($0, Double(power)) }.reduce(0, +) / Double(count)
        #expect(abs(moment - expected) < 5 * (deviation / Double(count)).squareRoot())
      }
    }
    let uniform =
      generator.uniformFloats(count, low: -2, high: 4).map { Double($0) }
      + generator.uniformDoubles(count, low: -2, high: 4)
    #expect(uniform.allSatisfy { $0 >= -2 && $0 < 4 })
    #expect(abs(uniform.reduce(0, +) / Double(2 * count) - 1) < 0.02)
  }

  @Test(arguments: generators) func uniformsStayBelowTheEnd(_ start: SeededGenerator) {
    var generator = start
    let (low, high) = (1.0, 1 + 4 * Double(Float(1).ulp))
    #expect(generator.uniformFloats(1000, low: low, high: high).allSatisfy { $0 < Float(high) })
    #expect(generator.uniformFloats(3, low: 2, high: 2) == [2, 2, 2])
  }

  private func chiSquare(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    return counts.map { pow(Double($0) - expected, 2) / expected }.reduce(0, +)
  }
}
