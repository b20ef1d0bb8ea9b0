import TensorCore

/// The two-stage Runge-Kutta methods of order two, with churn where asked for (Karras et al. 2022, algorithm 3):
///
/// `y' = y + (r' - r) ((1 - 1 / 2 alpha) e + 1 / 2 alpha e(r + alpha (r' - r)))`
///
/// Heun's at `alpha = 1` (algorithm 2), Ralston's at 2/3, the midpoint's at 1/2. From pure noise the same is done over
/// `q = signal / noise`; the step to clean data is Euler's.
public struct SecondOrderRungeKutta: Solver, Hashable, Codable {
  /// Where in the step the second stage is.
  public let alpha: Double
  /// Noise added before each step.
  public let churn: Churn
  /// 2.
  public var order: Int { 2 }

  /// The method of `alpha`, above 0 and at most 1.
  public init(alpha: Double = 1, churn: Churn = Churn()) {
    require(
      alpha > 0 && alpha <= 1, "SecondOrderRungeKutta", "alpha is \(alpha): give above 0 to 1")
    self.alpha = alpha
    self.churn = churn
  }

  /// No step made.
  public func start() -> StepCount { StepCount() }

  /// One step with two evaluations, or one to clean data.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout StepCount
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (x, leg) = churn.raised(
      x, over: interval, stepsDone: memory.stepsDone, noise: &noise)
    memory.stepsDone += 1
    let estimate = try denoiser(x, at: leg.from)
    if leg.to.noise == 0 { return (leg.firstOrder(x, estimate), estimate.denoised) }
    let coordinates: Coordinates = leg.from.signal > 0 ? .noise : .data
    let start = coordinates.position(of: leg.from)
    let step = coordinates.position(of: leg.to) - start
    let inner = alpha == 1 ? leg.to : leg.level(start + alpha * step, in: coordinates)
    let slope = coordinates.slope(at: x, estimate, leg.from)
    let stage = coordinates.moved(
      x, from: leg.from, to: inner, along: [(alpha * step, slope)])
    let second = try denoiser(stage, at: inner)
    let weight = step / (2 * alpha)
    let slopes = [
      (step - weight, slope), (weight, coordinates.slope(at: stage, second, inner)),
    ]
    return (coordinates.moved(x, from: leg.from, to: leg.to, along: slopes), second.denoised)
  }
}
