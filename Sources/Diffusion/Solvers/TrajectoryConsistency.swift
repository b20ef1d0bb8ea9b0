import TensorCore

/// Strategic stochastic sampling of trajectory consistency models (Zheng et al. 2024, TCD, arXiv:2402.19159, algorithm 4):
/// along the trajectory to the timestep `s = floor((1 - gamma) t')`, and noise from there up to the leg's end `t'`.
public struct TrajectoryConsistency: Solver {
  /// The chain that the model was distilled on, whose timesteps gamma is a share of.
  public let process: DiscreteProcess
  /// How much noise is put in anew: 0 none, 1 all of it.
  public let gamma: Double
  /// 1; there is no differential equation whose solution it nears.
  public var order: Int { 1 }

  /// The sampler; `gamma` lies in 0...1.
  public init(process: DiscreteProcess, gamma: Double = 0.3) {
    self.process = process
    self.gamma = checkedEta(gamma, "TrajectoryConsistency")
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let to = interval.to
    var down = to
    if to.noise > 0, gamma > 0 {
      let timestep = ((1 - gamma) * process.time(of: to)).rounded(.down)
      let level = process.level(at: timestep)
      // A leg that ends below the chain's first level ends there without noise.
      if level.ratio < to.ratio { down = level }
    }
    let up = Transition(from: down, to: to)
    var terms = estimate.firstOrder(x, from: interval.from, to: down, scale: up.scale)
    if up.variance > 0 {
      terms.append((up.variance.squareRoot(), noise.noise(like: x, over: interval)))
    }
    return (combined(terms), estimate.denoised)
  }
}
