import TensorCore

/// Linear multistep over `r = noise / signal` with variable steps: the polynomial in r through the latest `order` slopes
/// `(y - D) / r` is integrated over the step (Adams and Bashforth's method for uneven grids).
///
/// k-diffusion and diffusers call it LMS and integrate numerically; the integrand is a polynomial, so it is exact here.
/// On EDM's levels it is iPNDM with variable steps too (Zhang and Chen 2022, arXiv:2204.13902, section 3.3).
public struct AdamsBashforth: Solver, Hashable, Codable {
  /// How many slopes the polynomial goes through at most: 1 to 4.
  public let order: Int
  /// What happens to the order over the last steps.
  public let finalOrder: FinalOrder

  /// The solver.
  public init(order: Int = 4, finalOrder: FinalOrder = .kept) {
    require((1...4).contains(order), "AdamsBashforth", "order \(order): give 1 to 4")
    self.order = order
    self.finalOrder = finalOrder
  }

  /// Nothing remembered.
  public func start() -> SlopeHistory { start(after: []) }
  /// The slopes of the past.
  public func start(after past: [PastStep]) -> SlopeHistory {
    SlopeHistory(past, in: .noise, keeping: order - 1)
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout SlopeHistory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let limit = min(order, finalOrder.limit(over: interval, stepsDone: memory.stepsDone))
    memory.stepsDone += 1
    guard interval.from.signal > 0, order > 1 else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    let now = SlopeNode(
      level: interval.from, slope: Coordinates.noise.slope(at: x, estimate, interval.from))
    let used = [now] + memory.nodes.prefix(limit - 1)
    memory.record(now, keeping: order - 1)
    let isShort = abs(interval.to.ratio / interval.from.ratio - 1) < 1e-12
    guard used.count > 1, !isShort else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    let start = interval.from.ratio
    let step = interval.to.ratio - start
    let weights = Quadrature.weights(
      nodes: used.map { ($0.level.ratio - start) / step },
      moments: Quadrature.moments(step: step, count: used.count))
    let moved = Coordinates.noise.moved(
      x, from: interval.from, to: interval.to, along: Array(zip(weights, used.map(\.slope))))
    return (moved, estimate.denoised)
  }
}
