import Foundation
import TensorCore

/// DDPM's ancestral sampling (Ho et al. 2020, algorithm 2): the posterior with the estimate for the data,
///
/// `x' = dataWeight D + sampleWeight x + deviation z`
///
/// over neighbouring levels, or over a strided few with the betas that lie between them (Nichol and Dhariwal 2021,
/// section 4). No noise is added on the way to clean data.
public struct Ancestral: Solver, Hashable, Codable {
  /// The variance of the step.
  public let variance: ReverseVariance
  /// 1.
  public var order: Int { 1 }

  /// The sampler.
  public init(variance: ReverseVariance = .fixedSmall) { self.variance = variance }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let posterior = Posterior(at: interval.to, from: interval.from)
    var terms = [
      (posterior.dataWeight, estimate.denoised), (posterior.sampleWeight, x),
    ]
    if interval.to.noise > 0 {
      let z = noise.noise(like: x, over: interval)
      switch variance {
      case .fixedSmall: terms.append((posterior.variance.squareRoot(), z))
      case .fixedLarge: terms.append((posterior.transitionVariance.squareRoot(), z))
      case .learned, .learnedRange:
        terms.append((1, z * deviation(estimate.variance, posterior)))
      }
    }
    return (Tensor.linearCombination(terms), estimate.denoised)
  }

  private func deviation(_ answer: Tensor?, _ posterior: Posterior) -> Tensor {
    guard let answer else {
      misuse(
        "Ancestral",
        "the variance is to be \(variance.rawValue) but the denoiser gives none: its network "
          + "answers as many channels as the sample has, not twice as many")
    }
    if variance == .learned { return answer.sqrt() }
    let (small, large) = posterior.logVarianceRange(floor: 1e-20)
    // exp(v / 2 large + (1 - v) / 2 small) with v = (answer + 1) / 2
    return answer.scaled(by: (large - small) / 4, plus: (large + small) / 4).exp()
  }
}
