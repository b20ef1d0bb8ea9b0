import TensorCore

/// Euler's method (Karras et al. 2022, algorithm 2 without its correction), with churn where asked for.
///
/// Over `r = noise / signal` the step is `y' = y + (r' - r) (y - D) / r`: DDIM's on a variance-preserving process, Euler's
/// in time on rectified flow.
public struct Euler: Solver, Hashable, Codable {
  /// Noise added before each step.
  public let churn: Churn
  /// 1.
  public var order: Int { 1 }

  /// The solver.
  public init(churn: Churn = Churn()) { self.churn = churn }

  /// No step made.
  public func start() -> StepCount { StepCount() }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout StepCount
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (x, leg) = churn.raised(
      x, over: interval, stepsDone: memory.stepsDone, noise: &noise)
    memory.stepsDone += 1
    let estimate = try denoiser(x, at: leg.from)
    return (leg.firstOrder(x, estimate), estimate.denoised)
  }
}
