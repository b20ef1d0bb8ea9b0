import Diffusion
import Foundation
import Testing

@Suite struct TransitionTests {
  static let process = DiscreteProcess(.ddpm)
  static let pairs: [(NoiseLevel, NoiseLevel)] = [
    (process.levels[0], process.levels[1]), (process.levels[300], process.levels[700]),
    (process.levels[10], process.levels[999]),
    (NoiseLevel(sigma: 0.3), NoiseLevel(sigma: 4)),
    (NoiseLevel(signal: 0.8, noise: 0.2), NoiseLevel(signal: 0.3, noise: 0.7)),
  ]

  @Test(arguments: pairs)
  func marginalsChain(_ cleaner: NoiseLevel, _ noisier: NoiseLevel) {
    let step = Transition(from: cleaner, to: noisier)
    #expect(relative(step.scale * cleaner.signal, noisier.signal) < 1e-14)
    let variance = step.scale * step.scale * cleaner.noise * cleaner.noise + step.variance
    #expect(relative(variance, noisier.noise * noisier.noise) < 1e-13)
  }

  @Test func stepsOfTheChainAreItsBetas() {
    for timestep in [0, 1, 500, 999] {
      let step = Self.process.transition(timestep)
      let beta = Self.process.betas[timestep]
      #expect(relative(step.variance, beta) < 1e-9)
      #expect(relative(step.scale, (1 - beta).squareRoot()) < 1e-13)
    }
  }

  /// Bayes' rule by brute force: the product of `q(x_t | x_s)` and `q(x_s | x_0)` over a fine grid of `x_s`.
  @Test(arguments: pairs)
  func posteriorIsTheNormalisedProduct(_ cleaner: NoiseLevel, _ noisier: NoiseLevel) {
    let (x0, xt) = (0.7, -0.4)
    let posterior = Posterior(at: cleaner, from: noisier)
    let step = Transition(from: cleaner, to: noisier)
    let mean = posterior.sampleWeight * xt + posterior.dataWeight * x0
    let width = posterior.variance.squareRoot()
    var (total, first, second) = (0.0, 0.0, 0.0)
    for index in -4000...4000 {
      let xs = mean + width * Double(index) / 400
      let forward = xt - step.scale * xs
      let prior = xs - cleaner.signal * x0
      let exponent =
        -forward * forward / (2 * step.variance)
        - prior * prior / (2 * cleaner.noise * cleaner.noise)
      let constant =
        -pow(xt - step.scale * mean, 2) / (2 * step.variance)
        - pow(mean - cleaner.signal * x0, 2) / (2 * cleaner.noise * cleaner.noise)
      let density = exp(exponent - constant)
      total += density
      first += density * (xs - mean)
      second += density * (xs - mean) * (xs - mean)
    }
    #expect(abs(first / total) < 1e-9 * width)
    #expect(relative(second / total, posterior.variance) < 1e-9)
    #expect(posterior.variance <= posterior.transitionVariance)
  }

  @Test func posteriorAtCleanDataIsTheData() {
    let posterior = Posterior(at: .clean, from: Self.process.levels[0])
    #expect(posterior.variance == 0)
    #expect(posterior.sampleWeight == 0)
    #expect(abs(posterior.dataWeight - 1) < 1e-12)
  }
}
