import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct BrownianPathTests {
  static func leg(_ from: Double, _ to: Double) -> Interval {
    Interval(from: NoiseLevel(sigma: from), to: NoiseLevel(sigma: to))
  }

  /// The increment over a leg, not divided by its length.
  func increment(_ path: inout BrownianPath, _ from: Double, _ to: Double) -> [Double] {
    let z = path.noise([1, 50], dtype: .float64, over: Self.leg(from, to), draw: 0).doubles
    let length = 1 / (to * to) - (from.isFinite ? 1 / (from * from) : 0)
    return z.map { $0 * length.squareRoot() }
  }

  @Test(arguments: [(80.0, 3.0, 0.02), (3, 2.9, 2.8), (1.001, 1, 0.999), (2, 1.5, 1.49)])
  func partsAddUpToTheWhole(_ from: Double, _ middle: Double, _ to: Double) {
    var path = BrownianPath(seeds: [4])
    let whole = increment(&path, from, to)
    let parts = zip(increment(&path, from, middle), increment(&path, middle, to)).map { $0 + $1 }
    let scale = whole.map(abs).max() ?? 0
    for (a, b) in zip(whole, parts) { #expect(abs(a - b) < 1e-6 * scale) }
  }

  @Test func theWayFromPureNoiseAddsUpToo() {
    var path = BrownianPath(seeds: [4])
    func from(_ level: NoiseLevel, _ to: Double) -> Interval {
      Interval(from: level, to: NoiseLevel(sigma: to))
    }
    let z = path.noise([1, 50], dtype: .float64, over: from(.pureNoise, 0.5), draw: 0).doubles
    let y = path.noise([1, 50], dtype: .float64, over: from(.pureNoise, 4), draw: 0).doubles
    let rest = increment(&path, 4, 0.5)
    for i in 0..<50 { #expect(abs(2 * z[i] - (y[i] / 4 + rest[i])) < 1e-9) }
  }

  /// Increments over many legs, some within a cell, some over several: variance 1 and no correlation, to 5 standard errors.
  @Test func incrementsAreIndependentNormals() {
    var path = BrownianPath(seeds: [9])
    let ends = [80, 30, 29, 5, 4.9, 4.8, 1.3, 1.2, 0.4, 0.1, 0.03]
    let count = 20_000
    let draws = zip(ends, ends.dropFirst()).map { from, to in
      path.noise([1, count], dtype: .float64, over: Self.leg(from, to), draw: 0).doubles
    }
    for (i, a) in draws.enumerated() {
      for (j, b) in draws.enumerated() where j >= i {
        let moment = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
        let deviation = ((i == j ? 2.0 : 1) / Double(count)).squareRoot()
        #expect(abs(moment - (i == j ? 1 : 0)) < 5 * deviation, "legs \(i) and \(j)")
      }
    }
  }

  @Test func aPathIsTheSameForAnyProcessAndBatch() {
    var (both, alone) = (BrownianPath(seeds: [7, 8]), BrownianPath(seeds: [8]))
    let leg = Self.leg(2.5, 1.1)
    let preserving = Interval(
      from: NoiseLevel(variancePreservingRatio: 2.5), to: NoiseLevel(variancePreservingRatio: 1.1))
    let batch = both.noise([2, 30], dtype: .float64, over: leg, draw: 0).doubles
    let single = alone.noise([1, 30], dtype: .float64, over: leg, draw: 0).doubles
    expectSame(Array(batch[30...]), single)
    let other = alone.noise([1, 30], dtype: .float64, over: preserving, draw: 0).doubles
    for (a, b) in zip(single, other) { #expect(abs(a - b) < 1e-6) }
  }

  @Test func whatIsNotOnThePathIsDrawnAnew() {
    var path = BrownianPath(seeds: [3])
    let leg = Self.leg(2, 1)
    let again = Interval(from: leg.from, to: leg.to, visit: 1)
    let drawn = [
      path.noise([1, 9], dtype: .float64, over: leg, draw: 0),
      path.noise([1, 9], dtype: .float64, over: leg, draw: 1),
      path.noise([1, 9], dtype: .float64, over: again, draw: 0),
      path.noise([1, 9], dtype: .float64, over: Self.leg(1, 2), draw: 0),
      path.noise([1, 9], dtype: .float64, over: Self.leg(1, 1), draw: 0),
      path.noise([1, 9], dtype: .float64, over: Self.leg(1, 0), draw: 0),
    ].map(\.doubles)
    for (i, one) in drawn.enumerated() {
      for other in drawn[(i + 1)...] { #expect(zip(one, other).allSatisfy { $0 != $1 }) }
    }
  }
}
