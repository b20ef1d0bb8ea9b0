import TensorCore

/// Euler's step along an extrapolated slope, `2 e - e_before` (Permenter and Yuan 2023, arXiv:2306.04848, algorithm 2 with
/// gamma = 2; k-diffusion-based tools' `euler_ge`).
public struct GradientEstimation: Solver, Hashable, Codable {
  /// The share of the latest slope; the one before has `1 - gamma`.
  public let gamma: Double
  /// 1.
  public var order: Int { 1 }

  /// The solver.
  public init(gamma: Double = 2) { self.gamma = gamma }

  /// Nothing remembered.
  public func start() -> SlopeHistory { start(after: []) }
  /// The slopes of the past.
  public func start(after past: [PastStep]) -> SlopeHistory {
    SlopeHistory(past, in: .noise, keeping: 1)
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout SlopeHistory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    memory.stepsDone += 1
    guard interval.from.signal > 0 else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    let slope = Coordinates.noise.slope(at: x, estimate, interval.from)
    let before = memory.nodes.first
    memory.record(SlopeNode(level: interval.from, slope: slope), keeping: 1)
    guard let before, interval.to.noise > 0 else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    let step = interval.to.ratio - interval.from.ratio
    let moved = Coordinates.noise.moved(
      x, from: interval.from, to: interval.to,
      along: [(step * gamma, slope), (step * (1 - gamma), before.slope)])
    return (moved, estimate.denoised)
  }
}
