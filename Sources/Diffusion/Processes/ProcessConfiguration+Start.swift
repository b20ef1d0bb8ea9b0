extension ProcessConfiguration {
  /// The standard deviation of the noise that a run starts from, as diffusers' `init_noise_sigma` has it: for schedulers
  /// that lay out sigmas, the largest sigma where the timesteps reach the last of training (linspace, trailing), and else
  /// the deviation of a sample whose data has variance 1.
  public func initialDeviation(at start: NoiseLevel) -> Double {
    let reachesTheEnd = spacing == .linspace || spacing == .trailing
    let isExploding = sampling.scheduler?.layout == .interpolated && start.signal == 1
    if isExploding, reachesTheEnd { return start.noise }
    let deviation = start.totalVariance.squareRoot()
    return abs(deviation - 1) < 1e-12 ? 1 : deviation
  }
}
