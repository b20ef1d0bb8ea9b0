import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// Score-based samplers reproduce a mixture of two Gaussians in the plane: the sliced Wasserstein distance of 10,000
/// points to fresh ones is within twice that between two fresh sets.
@Suite(.enabled(if: Shared.runsSlowTests, "slow tests are enabled by SLOW_TESTS=1"))
struct MixtureSamplingTests {
  static let count = 10_000
  static let components = [
    MixtureDenoiser.Component(weight: 0.3, mean: [-1.2, -0.4], variance: [0.09, 0.04]),
    MixtureDenoiser.Component(weight: 0.7, mean: [0.8, 0.6], variance: [0.04, 0.16]),
  ]

  /// All points are one sample of the batch, a picture whose pixels are independent points: the norms of Langevin's
  /// corrector are those of many dimensions, as the method takes them to be.
  private func sample<S: Solver>(_ solver: S, _ levels: [NoiseLevel]) throws -> [Double] {
    var trajectory = Trajectory(
      shape: [1, 2 * Self.count], dtype: .float64, plan: SamplingPlan(levels: levels),
      solver: solver, denoiser: MixtureDenoiser(Self.components), noise: IntervalNoise(seeds: [1]))
    return try trajectory.last().doubles
  }

  private func expectTheMixture(_ points: [Double], _ name: String) {
    let (one, two) = (fresh(seed: 1), fresh(seed: 2))
    let among = slicedDistance(one, two)
    let distance = slicedDistance(points, fresh(seed: 3))
    #expect(distance < 2 * among, "\(name): \(distance), between fresh sets \(among)")
  }

  static func geometric(_ count: Int, from high: Double, to low: Double) -> [Double] {
    (0..<count).map { high * pow(low / high, Double($0) / Double(count - 1)) }
  }

  static let exploding = geometric(600, from: 20, to: 0.01).map { NoiseLevel(sigma: $0) }
  static let preserving = (0..<600).map { index -> NoiseLevel in
    // Song et al. 2021: the VP SDE, time evenly from 1 to 0.001.
    let t = 1 + Double(index) / 599 * (0.001 - 1)
    return NoiseLevel(squaredSignal: exp(-0.5 * t * t * 19.9 - 0.1 * t))
  }

  @Test(arguments: [0, 1])
  func eulerMaruyama(_ process: Int) throws {
    let levels = (process == 0 ? Self.exploding : Self.preserving) + [.clean]
    expectTheMixture(try sample(EulerMaruyama(), levels), "Euler-Maruyama")
  }

  @Test(arguments: [0, 1])
  func predictorCorrector(_ process: Int) throws {
    let levels = (process == 0 ? Self.exploding : Self.preserving) + [.clean]
    let corrector = Langevin(snr: 0.05)
    expectTheMixture(
      try sample(PredictorCorrector(ReverseDiffusion(), corrector), levels), "reverse diffusion")
    expectTheMixture(try sample(PredictorCorrector(Ancestral(), corrector), levels), "ancestral")
    expectTheMixture(
      try sample(PredictorCorrector(DDIM(), Langevin(snr: 0.05, size: .level)), levels), "ODE")
  }

  @Test func annealedLangevin() throws {
    let levels = Self.geometric(20, from: 10, to: 0.01).map { NoiseLevel(sigma: $0) }
    expectTheMixture(try sample(AnnealedLangevin(), levels + [.clean]), "annealed Langevin")
  }

  // MARK: Distances

  private func fresh(seed: UInt64) -> [Double] {
    var generator = CounterGenerator(seed: seed, stream: 77)
    let normals = Tensor.randomNormal([2 * Self.count], dtype: .float64, using: &generator).doubles
    let uniforms = Tensor.randomUniform([Self.count], dtype: .float64, using: &generator).doubles
    return (0..<2 * Self.count).map { i in
      let component = Self.components[uniforms[i / 2] < 0.3 ? 0 : 1]
      return component.mean[i % 2] + component.variance[i % 2].squareRoot() * normals[i]
    }
  }

  /// The mean over 200 directions of the distance between sorted projections.
  private func slicedDistance(_ a: [Double], _ b: [Double]) -> Double {
    (0..<200).reduce(0) { sum, index in
      let angle = Double.pi * Double(index) / 200
      func projected(_ points: [Double]) -> [Double] {
        (0..<Self.count).map { points[2 * $0] * cos(angle) + points[2 * $0 + 1] * sin(angle) }
          .sorted()
      }
      let difference = zip(projected(a), projected(b)).reduce(0) { $0 + abs($1.0 - $1.1) }
      return sum + difference / Double(Self.count) / 200
    }
  }
}
