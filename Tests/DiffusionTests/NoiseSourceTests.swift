import Diffusion
import TensorCore
import Testing

@Suite struct NoiseSourceTests {
  static let first = Interval(from: NoiseLevel(sigma: 3), to: NoiseLevel(sigma: 2))
  static let second = Interval(from: NoiseLevel(sigma: 2), to: NoiseLevel(sigma: 1))

  @Test(arguments: GeneratorKind.allCases)
  func aSampleDependsOnItsSeedAlone(_ kind: GeneratorKind) {
    var both = SeededNoise(kind, seeds: [5, 6])
    var alone = SeededNoise(kind, seeds: [6])
    for _ in 0..<3 {
      let batch = both.noise([2, 3, 3, 2], dtype: .float32, over: Self.first, draw: 0)
      let single = alone.noise([1, 3, 3, 2], dtype: .float32, over: Self.first, draw: 0)
      #expect(Array(batch.floats[18...]) == single.floats)
    }
  }

  @Test func torchNumbersComeInTheOrderOfFiles() {
    var generator = TorchGenerator(seed: 9)
    let planes = generator.normalFloats(2 * 4 * 3)
    var source = SeededNoise(.torch, seeds: [9])
    let drawn = source.initial([1, 4, 3, 2], dtype: .float32).floats
    for (y, x, c) in [(0, 0, 0), (3, 2, 1), (1, 2, 0), (2, 0, 1)] {
      #expect(drawn[(y * 3 + x) * 2 + c] == planes[c * 12 + y * 3 + x])
    }
    var plain = SeededNoise(.torch, seeds: [9], drawsChannelsFirst: false)
    #expect(plain.initial([1, 4, 3, 2], dtype: .float32).floats == planes)
  }

  @Test func intervalNoiseKnowsNoOrderOfCalls() {
    var forward = IntervalNoise(seeds: [1, 2])
    var backward = IntervalNoise(seeds: [2, 1])
    let a = forward.noise([2, 40], dtype: .float64, over: Self.first, draw: 0).doubles
    let b = forward.noise([2, 40], dtype: .float64, over: Self.second, draw: 0).doubles
    let c = forward.noise([2, 40], dtype: .float64, over: Self.first, draw: 1).doubles
    let b2 = backward.noise([2, 40], dtype: .float64, over: Self.second, draw: 0).doubles
    let a2 = backward.noise([2, 40], dtype: .float64, over: Self.first, draw: 0).doubles
    #expect(Array(a[..<40]) == Array(a2[40...]) && Array(b[40...]) == Array(b2[..<40]))
    let start = forward.initial([2, 40], dtype: .float64).doubles
    let all = [a, b, c, start].flatMap { [Array($0[..<40]), Array($0[40...])] }
    for (i, one) in all.enumerated() {
      for other in all[(i + 1)...] { #expect(zip(one, other).allSatisfy { $0 != $1 }) }
    }
  }
}
