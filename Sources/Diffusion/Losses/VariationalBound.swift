import Foundation
import TensorCore

/// The variational bound on `-log p(x0)` of a chain (Ho et al. 2020, equation 5), in bits a dimension: the prior's
/// divergence, one divergence for each step, and the decoder's likelihood of 8-bit pixels.
public struct VariationalBound: Sendable {
  /// The chain.
  public let process: DiscreteProcess
  /// The variance of the step back.
  public let variance: ReverseVariance
  private let posteriors: [Posterior]
  private let logVariances: [(small: Double, large: Double)]

  /// The bound of a chain whose steps back have the given variance.
  public init(_ process: DiscreteProcess, variance: ReverseVariance = .fixedSmall) {
    self.process = process
    self.variance = variance
    posteriors = (0..<process.count).map(process.posterior)
    // The first posterior's variance is 0; its logarithm is taken to be the second's (the authors' code).
    let first = posteriors.count > 1 ? posteriors[1].variance : posteriors[0].transitionVariance
    logVariances = posteriors.enumerated().map { index, posterior in
      posterior.logVarianceRange(floor: index == 0 ? first : 0)
    }
  }

  /// `KL(q(x_T | x_0) || N(0, I))` of each sample, `[batch]`.
  public func prior(_ data: Tensor) -> Tensor {
    let last = process.levels[process.count - 1]
    let square = last.noise * last.noise
    let mean = data * last.signal
    return (mean * mean + (square - log(square) - 1)).meanOverSample() * (0.5 / log(2))
  }

  /// The term of each sample at its own timestep, `[batch]`: the step's divergence
  /// `KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t))`, or the decoder's `-log p(x_0 | x_1)` at timestep 0.
  public func terms(_ batch: NoisyBatch, _ estimate: Estimate) -> Tensor {
    let own = batch.timesteps.map { posteriors[$0] }
    func mean(of data: Tensor) -> Tensor {
      Tensor.linearCombination(perSample: [
        (own.map(\.dataWeight), data), (own.map(\.sampleWeight), batch.noisy),
      ])
    }
    let modelMean = mean(of: estimate.denoised)
    let modelLogVariance = logVariance(batch, estimate)
    let (rank, dtype) = (batch.data.rank, batch.data.dtype)
    let trueLogVariance = Tensor.perSample(
      batch.timesteps.map { logVariances[$0].small }, rank: rank, dtype: dtype)
    let distance = mean(of: batch.data) - modelMean
    let difference = modelLogVariance - trueLogVariance
    let divergence =
      difference + (-difference).exp() - 1 + distance * distance * (-modelLogVariance).exp()
    let steps = divergence.meanOverSample() * (0.5 / log(2))
    guard batch.timesteps.contains(0) else { return steps }
    let decoder =
      DiscretizedGaussian.logLikelihood(
        of: batch.data, mean: modelMean, logVariance: modelLogVariance
      ).meanOverSample() * (-1 / log(2))
    let isFirst = batch.timesteps.map { $0 == 0 ? 1.0 : 0 }
    return Tensor.linearCombination(perSample: [
      (isFirst, decoder), (isFirst.map { 1 - $0 }, steps),
    ])
  }

  private func logVariance(_ batch: NoisyBatch, _ estimate: Estimate) -> Tensor {
    let ranges = batch.timesteps.map { logVariances[$0] }
    let (rank, dtype) = (batch.data.rank, batch.data.dtype)
    func perSample(_ values: [Double]) -> Tensor {
      Tensor.perSample(values, rank: rank, dtype: dtype)
    }
    switch variance {
    case .fixedSmall: return perSample(ranges.map(\.small))
    case .fixedLarge:
      let first = logVariances[0].small
      return perSample(zip(batch.timesteps, ranges).map { $0 == 0 ? first : $1.large })
    case .learned, .learnedRange:
      guard let answer = estimate.variance else {
        misuse(
          "VariationalBound",
          "the variance is to be \(variance.rawValue) but the network answers no more channels "
            + "than the sample has")
      }
      if variance == .learned { return answer.log() }
      return answer * perSample(ranges.map { ($0.large - $0.small) / 2 })
        + perSample(ranges.map { ($0.large + $0.small) / 2 })
    }
  }
}

extension VariationalBound {
  /// The bound's terms for each of some samples, in bits a dimension.
  public struct Evaluation: Sendable, Hashable, Codable {
    /// The prior's divergence of each sample.
    public var prior: [Double]
    /// For each timestep, from 1: the step's divergence of each sample.
    public var steps: [[Double]]
    /// The decoder's part, of each sample.
    public var decoder: [Double]

    /// The bound of each sample: the sum of all terms.
    public var total: [Double] {
      prior.indices.map { sample in
        prior[sample] + decoder[sample] + steps.reduce(0) { $0 + $1[sample] }
      }
    }
  }

  /// The whole bound of 8-bit pictures `data` (`[batch, ...]`, within -1...1): T evaluations, one noise a timestep.
  public func evaluate<D: Denoiser, N: NoiseSource>(
    _ data: Tensor, with denoiser: D, noise: inout N
  ) throws(D.Failure) -> Evaluation {
    var evaluator = Evaluator(denoiser)
    var found: [[Double]] = []
    for timestep in (0..<process.count).reversed() {
      let level = process.levels[timestep]
      let drawn = noise.noise(like: data, over: Interval(from: .clean, to: level))
      let batch = NoisyBatch(
        data, noise: drawn, timesteps: [Int](repeating: timestep, count: data.shape[0]),
        of: process)
      let estimate = try evaluator(batch.noisy, at: level)
      found.append(terms(batch, estimate).doubles)
    }
    let decoder = found.removeLast()
    return Evaluation(prior: prior(data).doubles, steps: found.reversed(), decoder: decoder)
  }
}
