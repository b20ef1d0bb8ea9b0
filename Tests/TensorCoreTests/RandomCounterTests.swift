import Foundation
import TensorCore
import Testing

@Suite struct RandomCounterTests {
  /// Box-Muller of the words, in float64.
  private func oracle(_ generator: CounterGenerator, element: UInt64) -> (f32: Double, f64: Double)
  {
    let block = Philox.block(key: generator.seed, low: element / 4, high: generator.stream)
    let pair = element % 4 < 2 ? block.lowHalf : block.highHalf
    let radius = (-2 * log((Double(pair[0]) + 0.5) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * Double(pair[1] >> 8) * 0x1p-24
    let f32 = radius * (element % 2 == 0 ? cos(angle) : sin(angle))

    let wide = Philox.block(key: generator.seed, low: element / 2, high: generator.stream)
    let u = 1 - Double((UInt64(wide[0]) << 32 | UInt64(wide[1])) >> 11) * 0x1p-53
    let v = Double((UInt64(wide[2]) << 32 | UInt64(wide[3])) >> 11) * 0x1p-53
    let far = (-2 * log(u)).squareRoot()
    return (f32, far * (element % 2 == 0 ? cos(2 * .pi * v) : sin(2 * .pi * v)))
  }

  @Test func normalsAreBoxMullersOfTheWords() {
    let start = CounterGenerator(seed: 0x0123_4567_89ab_cdef, stream: 0xfeed_0000_0001)
    var (single, double) = (start, start)
    let (floats, doubles) = (single.normalFloats(1000), double.normalDoubles(1000))
    for i in 0..<1000 {
      let expected = oracle(start, element: UInt64(i))
      #expect(abs(Double(floats[i]) - expected.f32) < 2e-6)
      #expect(abs(doubles[i] - expected.f64) < 1e-14)
    }
  }

  @Test func anElementIsItsPlace() {
    var whole = CounterGenerator(seed: 1, stream: 2)
    let values = whole.normalFloats(300)
    let uniforms = whole.uniformFloats(100)
    for first in [0, 1, 2, 3, 5, 63, 64, 65, 299] {
      for count in [1, 2, 70] where first + count <= 300 {
        var part = CounterGenerator(seed: 1, stream: 2, position: UInt64(first))
        #expect(part.normalFloats(count) == Array(values[first..<(first + count)]))
      }
    }
    var skipped = CounterGenerator(seed: 1, stream: 2, position: 310)
    #expect(skipped.uniformFloats(90) == Array(uniforms[10...]))
  }

  @Test func splitCallsEqualOne() {
    var (whole, split) = (CounterGenerator(seed: 4), CounterGenerator(seed: 4))
    #expect(split.normalFloats(7) + split.normalFloats(90) == whole.normalFloats(97))
    #expect(split.normalDoubles(3) + split.normalDoubles(50) == whole.normalDoubles(53))
    #expect(split.uniformDoubles(3) + split.uniformDoubles(50) == whole.uniformDoubles(53))
    #expect(
      split.integers(below: 99, count: 3) + split.integers(below: 99, count: 4)
        == whole.integers(below: 99, count: 7))
    #expect(split == whole)
  }

  @Test func positionsAreSharedByTypes() {
    var generator = CounterGenerator(seed: 4)
    _ = generator.normalFloats(3)
    #expect(generator.position == 3)
    _ = generator.normalDoubles(2)
    #expect(generator.position == 8, "a float64 begins at an even place")
    _ = generator.integers(below: 7, count: 5)
    #expect(generator.position == 18)
    _ = generator.normalDoubles(0)
    #expect(generator.position == 18)
  }

  @Test func streamsAndSeedsAreIndependent() {
    let count = 100_000
    let values = [(1, 0), (1, 1), (2, 0), (1 << 32, 0), (1, 1 << 32)].map { seed, stream in
      var generator = CounterGenerator(seed: UInt64(seed), stream: UInt64(stream))
      return generator.normalFloats(count)
    }
    for a in values.indices {
      for b in values.indices {
        for lag in [0, 1, 2, 4] where a != b || lag != 0 {
          let product = zip(values[a], values[b].dropFirst(lag)).reduce(0.0) {
            $0 + Double($1.0 * $1.1)
          }
          let correlation = product / Double(count)
          #expect(abs(correlation) < 5 / Double(count).squareRoot(), "\(a), \(b), lag \(lag)")
        }
      }
    }
  }

  @Test func tensorsHoldTheDraws() {
    var (a, b) = (CounterGenerator(seed: 8), CounterGenerator(seed: 8))
    let normal = Tensor.randomNormal([2, 3], using: &a)
    let uniform = Tensor.randomUniform([4], dtype: .float64, low: 1, high: 2, using: &a)
    #expect(normal.shape == [2, 3] && normal.dtype == .float32)
    #expect(normal.doubles == b.normalFloats(6).map { Double($0) })
    #expect(uniform.doubles == b.uniformDoubles(4, low: 1, high: 2))
  }
}
