import TensorCore

/// Exponential integrators that reuse the slopes of earlier steps: the polynomial in lambda through the latest `order` slopes
/// is integrated over the step.
///
/// - on the data: DPM-Solver++ (Lu et al. 2022, arXiv:2211.01095, algorithm 2, which is 2M) and the multistep form of RES
///   (Zhang et al. 2023, arXiv:2308.02157);
/// - on the noise: DPM-Solver's multistep form, and DEIS with its polynomials in lambda, as diffusers has it (Zhang and Chen
///   2022, arXiv:2204.13902, section 3.3).
///
/// At order three diffusers and k-diffusion weigh the quadratic term half as much as the integral says, which leaves them
/// order two; here it is the integral.
public struct ExponentialMultistep: Solver, Hashable, Codable {
  /// What the polynomial goes through.
  public let coordinates: Coordinates
  /// How many slopes it goes through at most: 1 to 4.
  public let order: Int
  /// How the slope of a straight line is weighed.
  public let rule: LinearRule
  /// What happens to the order over the last steps.
  public let finalOrder: FinalOrder

  /// The solver.
  public init(
    _ coordinates: Coordinates, order: Int = 2, rule: LinearRule = .middle,
    finalOrder: FinalOrder = .kept
  ) {
    require((1...4).contains(order), "ExponentialMultistep", "order \(order): give 1 to 4")
    self.coordinates = coordinates
    self.order = order
    self.rule = rule
    self.finalOrder = finalOrder
  }

  /// Nothing remembered.
  public func start() -> SlopeHistory { start(after: []) }
  /// The slopes of the past.
  public func start(after past: [PastStep]) -> SlopeHistory {
    SlopeHistory(past, in: coordinates, keeping: order - 1)
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout SlopeHistory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let limit = min(order, finalOrder.limit(over: interval, stepsDone: memory.stepsDone))
    return (memory.advance(x, over: interval, estimate, self, limit: limit), estimate.denoised)
  }
}

extension SlopeHistory {
  /// The step with as many slopes as there are, and at most `limit`; notes the one that was taken now.
  fileprivate mutating func advance(
    _ x: Tensor, over interval: Interval, _ estimate: Estimate, _ solver: ExponentialMultistep,
    limit: Int
  ) -> Tensor {
    stepsDone += 1
    guard interval.from.signal > 0, solver.order > 1 else {
      return interval.firstOrder(x, estimate)
    }
    let slope = solver.coordinates.slope(at: x, estimate, interval.from)
    let now = SlopeNode(level: interval.from, slope: slope)
    let used = [now] + nodes.prefix(limit - 1)
    record(now, keeping: solver.order - 1)
    guard interval.hasLambda, used.count > 1 else { return interval.firstOrder(x, estimate) }
    return solver.coordinates.exponential(
      x, from: interval.from, to: interval.to, through: used, rule: solver.rule)
  }
}
