import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct VariationalBoundTests {
  static let process = DiscreteProcess(.ddpm, count: 50)

  /// Data and noise whose second moments are exactly those of independent N(0, 1) numbers, so that the mean over the
  /// elements of anything quadratic is its expectation.
  static let data = Tensor([1.0, 1, -1, -1], shape: [1, 4])
  static let noise = Tensor([1.0, -1, 1, -1], shape: [1, 4])

  /// For N(0, 1) the step back is N(sqrt(1 - beta) x, beta) and the bound is tight: all terms above the decoder's add
  /// up to the entropy of x_0 less that of x_0 given x_1, which is -log2(beta_0) / 2.
  @Test func theBoundIsTightForNormalData() throws {
    let bound = VariationalBound(Self.process, variance: .fixedLarge)
    var total = bound.prior(Self.data).item
    for timestep in 1..<Self.process.count {
      let batch = NoisyBatch(
        Self.data, noise: Self.noise, timesteps: [timestep], of: Self.process)
      let estimate = Estimate(denoised: batch.noisy * batch.levels[0].signal)
      total += bound.terms(batch, estimate).item
    }
    #expect(abs(total + log2(Self.process.betas[0]) / 2) < 1e-9)
  }

  @Test(arguments: [1, 20, 49])
  func stepsAreTheDivergencesOfTwoGaussians(_ timestep: Int) throws {
    let shift = 0.3
    let posterior = Self.process.posterior(timestep)
    let batch = NoisyBatch(Self.data, noise: Self.noise, timesteps: [timestep], of: Self.process)
    let estimate = Estimate(denoised: Self.data + shift)
    for variance in [ReverseVariance.fixedSmall, .fixedLarge] {
      let own = variance == .fixedSmall ? posterior.variance : posterior.transitionVariance
      let ratio = posterior.variance / own
      let distance = posterior.dataWeight * shift
      let expected = 0.5 * (ratio - 1 - log(ratio) + distance * distance / own) / log(2)
      let term = VariationalBound(Self.process, variance: variance).terms(batch, estimate).item
      #expect(abs(term - expected) < 1e-10 * max(1, expected))
    }
  }

  @Test func thePriorIsADivergenceFromTheStandardNormal() {
    let level = Self.process.levels[49]
    let square = level.noise * level.noise
    let expected =
      0.5 * (square + level.signal * level.signal - 1 - log(square)) / log(2)
    let prior = VariationalBound(Self.process).prior(Self.data).item
    #expect(abs(prior - expected) < 1e-13)
  }

  /// The shares of all 256 bins add up to one, wherever the Gaussian lies.
  @Test(arguments: [(0.1, 0.3), (-1.2, 0.01), (0.998, 2)])
  func theDecoderIsADistributionOverPixels(_ mean: Double, _ deviation: Double) {
    let pixels = Tensor((0..<256).map { 2 * Double($0) / 255 - 1 })
    let logs = DiscretizedGaussian.logLikelihood(
      of: pixels, mean: Tensor(mean, dtype: .float64),
      logVariance: Tensor(2 * log(deviation), dtype: .float64))
    #expect(abs(logs.exp().sum().item - 1) < 1e-9)
  }

  @Test func theDecoderIsNearTheTrueShareOfABin() {
    let (pixel, mean, deviation) = (0.2, 0.1, 0.15)
    let value = DiscretizedGaussian.logLikelihood(
      of: Tensor([pixel]), mean: Tensor([mean]), logVariance: Tensor([2 * log(deviation)])
    ).exp().item
    func below(_ x: Double) -> Double { 0.5 * erfc(-(x - mean) / deviation / 2.0.squareRoot()) }
    let share = below(pixel + 1 / 255.0) - below(pixel - 1 / 255.0)
    #expect(relative(value, share) < 2e-3)
  }

  @Test func theEvaluationAddsUpItsTerms() throws {
    let pixels = Tensor([1.0, -1, 51 / 127.5 - 1, 0.2], shape: [2, 2])
    let bound = VariationalBound(Self.process)
    var noise = IntervalNoise(seeds: [1, 2])
    let denoiser = AnyEstimate { x, level in Estimate(denoised: x * level.signal) }
    let found = bound.evaluate(pixels, with: denoiser, noise: &noise)
    #expect(found.steps.count == 49 && found.decoder.count == 2 && found.prior.count == 2)
    let level = Self.process.levels[7]
    let drawn = noise.noise(like: pixels, over: Interval(from: .clean, to: level))
    let batch = NoisyBatch(pixels, noise: drawn, timesteps: [7, 7], of: Self.process)
    let terms = bound.terms(batch, denoiser.estimate(batch.noisy, at: level)).doubles
    #expect(found.steps[6] == terms)
    let total = found.prior[1] + found.decoder[1] + found.steps.map { $0[1] }.reduce(0, +)
    #expect(abs(found.total[1] - total) < 1e-12)
    #expect(found.steps.joined().allSatisfy { $0 >= -1e-12 })
  }
}
