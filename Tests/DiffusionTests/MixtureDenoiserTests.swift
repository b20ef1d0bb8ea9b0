import Diffusion
import TensorCore
import TestSupport
import Testing

@Suite struct MixtureDenoiserTests {
  static let mixture = MixtureDenoiser(
    GaussianWorld.mixture.components.map {
      .init(weight: $0.weight, mean: $0.mean, variance: $0.variance)
    })
  static let level = NoiseLevel(signal: 0.8, noise: 0.7)

  /// Tweedie's formula: the score by central differences of the log density.
  @Test func scoreIsTheGradientOfTheLogDensity() {
    let x = Sample.uniform([5, 3], seed: 3)
    let score = Self.mixture.estimate(x, at: Self.level).score(of: x, at: Self.level).doubles
    let values = x.doubles
    for index in values.indices {
      func density(_ shift: Double) -> Double {
        var moved = values
        moved[index] += shift
        return Self.mixture.logDensity(Tensor(moved, shape: x.shape), at: Self.level)[index / 3]
      }
      let slope = (density(1e-5) - density(-1e-5)) / 2e-5
      #expect(abs(slope - score[index]) < 1e-8)
    }
  }

  @Test func agreesWithTheOracle() {
    let x = Sample.uniform([7, 3], seed: 4)
    expectClose(
      Self.mixture.estimate(x, at: Self.level).denoised,
      GaussianWorld.mixture.denoised(x, signal: 0.8, noise: 0.7), tolerance: 1e-14)
  }

  @Test func samplesHaveTheMomentsThatItGives() {
    var generator = CounterGenerator(seed: 5)
    let count = 200_000
    let points = Self.mixture.sample(count, at: Self.level, using: &generator).doubles
    let (mean, covariance) = Self.mixture.moments(at: Self.level)
    for i in 0..<3 {
      let found = stride(from: i, to: points.count, by: 3).reduce(0) { $0 + points[$1] }
      // Five standard errors of the mean, and of a product of two such numbers.
      #expect(abs(found / Double(count) - mean[i]) < 5 * 1.2 / Double(count).squareRoot())
      for j in 0..<3 {
        let product = (0..<count).reduce(0) {
          $0 + (points[3 * $1 + i] - mean[i]) * (points[3 * $1 + j] - mean[j])
        }
        #expect(
          abs(product / Double(count) - covariance[i][j]) < 5 * 2 / Double(count).squareRoot())
      }
    }
  }
}
