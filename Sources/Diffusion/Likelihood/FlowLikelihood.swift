import Foundation
import TensorCore

/// The exact log-likelihood of data under the probability-flow ODE of a denoiser (Song et al. 2021, section 4.3 and
/// appendix D.2): data is taken to noise, whose density is known, and the change of density on the way is integrated,
///
/// `log p(x) = log N(z_T; 0, I) + integral of div - dimension log sqrt(signal^2 + noise^2)`,
///
/// in the coordinates of the probability flow that are the same for every linear process. The model whose likelihood it
/// is starts at noise of the last level's total variance, as ``Trajectory`` does, and ends at the first level without a
/// last denoising step.
public struct FlowLikelihood<P: Process>: Sendable {
  /// The process.
  public let process: P
  /// The time that data is taken to stand at, whose level has some noise, and the time of the prior.
  public let times: ClosedRange<Double>
  /// How the divergence is had.
  public let divergence: DivergenceEstimate
  /// The largest error of a step: of the root mean square of a sample of unit scale, and of the log density in nats a
  /// dimension.
  public let tolerance: Double

  /// The likelihood under a process.
  ///
  /// - Parameter times: `nil` is all of the process's; its first level must have noise (1e-5 is usual for an SDE).
  public init(
    _ process: P, times: ClosedRange<Double>? = nil,
    divergence: DivergenceEstimate = .hutchinson(), tolerance: Double = 1e-5
  ) {
    self.process = process
    self.times = times ?? process.times
    self.divergence = divergence
    self.tolerance = tolerance
    let first = process.level(at: self.times.lowerBound)
    require(
      first.noise > 0 && first.signal > 0 && tolerance > 0, "FlowLikelihood",
      "the first level has \(first), the tolerance is \(tolerance): begin at a time with a little "
        + "noise, such as 1e-5, and allow some error")
  }

  /// The log density of each sample.
  ///
  /// - Parameters:
  ///   - data: `[batch, ...]`.
  ///   - denoiser: a differentiable one; see ``Unconditional`` for one without conditions.
  ///   - conditions: one a sample.
  ///   - seeds: one a sample, from which its probes are drawn; what it gives depends on nothing else.
  /// - Throws: ``LikelihoodError`` where the denoiser fails, a value is not finite or the tolerance is not reached.
  public func logDensity<D: ConditionalDenoiser>(
    of data: Tensor, with denoiser: D, given conditions: [D.Condition], seeds: [UInt64]
  ) throws(LikelihoodError<D.Failure>) -> [LogDensity] {
    let batch = data.shape[0]
    require(
      conditions.count == batch && seeds.count == batch && data.count > 0, "likelihood",
      "\(conditions.count) conditions and \(seeds.count) seeds for a batch \(data.shape): "
        + "give one of each a sample")
    let flow = ProbabilityFlow(
      denoiser: denoiser, process: process, conditions: conditions, isExact: divergence == .exact)
    let first = process.level(at: times.lowerBound)
    let start = ProbabilityFlow<D, P>.coordinate(of: first)
    let end = ProbabilityFlow<D, P>.coordinate(of: process.level(at: times.upperBound))
    let z = data.detached * (1 / first.totalVariance.squareRoot())
    let probes = divergence.probes(like: z, seeds: seeds)
    let labels = Array(0..<batch)
    let slope = try flow.slope(of: z, at: start, labels: labels, probes: probes)
    var state = ProbabilityFlow<D, P>.State(
      labels: labels, z: z, probes: probes,
      integrals: slope.divergences.map { $0.map { _ in 0 } }, slope: slope,
      evaluations: labels.map { _ in 1 })
    let legs = max(1, Int(((start - end) / Self.legLength).rounded(.up)))
    let edges = (0...legs).map { start + (end - start) * Double($0) / Double(legs) }
    for (from, to) in zip(edges, edges.dropFirst()) {
      state = try flow.advanced(state, from: from, to: to, tolerance: tolerance)
    }
    return densities(of: state, scale: 0.5 * log(first.totalVariance))
  }

  /// The longest step in the coordinate of the ratio.
  private static var legLength: Double { 0.5 }

  private func densities<D: ConditionalDenoiser>(
    of state: ProbabilityFlow<D, P>.State, scale: Double
  ) -> [LogDensity] {
    let dimension = Double(state.z.count / state.labels.count)
    let squares = state.z.innerProducts(state.z).doubles
    var result = state.labels.map { _ in LogDensity(estimates: [], evaluations: 0) }
    for (row, label) in state.labels.enumerated() {
      let constant = -0.5 * (squares[row] + dimension * log(2 * .pi)) - dimension * scale
      result[label] = LogDensity(
        estimates: state.integrals.map { $0[row] + constant },
        evaluations: state.evaluations[row])
    }
    return result
  }
}

/// Why a log density could not be had.
public enum LikelihoodError<Failure: Error>: Error {
  /// The denoiser failed.
  case denoiser(Failure, level: NoiseLevel)
  /// A value of the estimate is infinite or not a number.
  case nonFinite(level: NoiseLevel)
  /// Steps however small have a larger error than was allowed.
  case tolerance(Double, level: NoiseLevel)
}

extension LikelihoodError: CustomStringConvertible {
  /// One line that says what happened, where, and what to do.
  public var description: String {
    switch self {
    case .denoiser(let failure, let level): "likelihood, at \(level): \(failure)"
    case .nonFinite(let level):
      "likelihood, at \(level): the model's output is infinite or not a number"
    case .tolerance(let tolerance, let level):
      "likelihood, at \(level): the error stays above the tolerance \(tolerance) however small the "
        + "step: allow a larger one, or compute in float64"
    }
  }
}
