import TensorCore

/// Exponential integrators that begin anew with each step: stages at parts of the step in lambda, and the line through the
/// slope at the start and the last stage's integrated over the step.
///
/// - on the noise: DPM-Solver-1, -2 and -3 (Lu et al. 2022, arXiv:2206.00927, algorithms 1 and 2); of order two with the
///   middle rule it is k-diffusion's DPM2 too;
/// - on the data: DPM-Solver++ 2S and 3S (Lu et al. 2022, arXiv:2211.01095, algorithm 1), and with the exact rule RES with
///   two stages (Zhang et al. 2023, arXiv:2308.02157, algorithm 2).
public struct ExponentialSinglestep: Solver, Hashable, Codable {
  /// What is integrated.
  public let coordinates: Coordinates
  /// 1 to 3: as many evaluations a step.
  public let order: Int
  /// How the line's slope is weighed in the method of order two.
  public let rule: LinearRule

  /// The solver.
  public init(_ coordinates: Coordinates, order: Int = 2, rule: LinearRule = .middle) {
    require((1...3).contains(order), "ExponentialSinglestep", "order \(order): give 1 to 3")
    self.coordinates = coordinates
    self.order = order
    self.rule = rule
  }

  /// One step with as many evaluations as its order, or one where lambda is infinite at an end.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    guard order > 1, interval.hasLambda else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    var nodes = [
      SlopeNode(
        level: interval.from, slope: coordinates.slope(at: x, estimate, interval.from))
    ]
    var denoised = estimate.denoised
    let shares = order == 2 ? [0.5] : [1.0 / 3, 2.0 / 3]
    for share in shares {
      let level = interval.level(lambdaShare: share)
      let stage = coordinates.exponential(x, from: interval.from, to: level, through: nodes)
      let estimate = try denoiser(stage, at: level)
      denoised = estimate.denoised
      nodes.append(
        SlopeNode(level: level, slope: coordinates.slope(at: stage, estimate, level)))
    }
    let moved = coordinates.exponential(
      x, from: interval.from, to: interval.to, through: [nodes[0], nodes[order - 1]],
      rule: order == 2 ? rule : .exact)
    return (moved, denoised)
  }
}
