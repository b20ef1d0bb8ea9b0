import TensorCore

/// Noise added before a step (Karras et al. 2022, algorithm 2): the sample goes back up to `(1 + gamma)` times its ratio of
/// noise to signal and the step is made from there.
public struct Churn: Sendable, Hashable, Codable {
  /// `S_churn`: shared out over the steps, `gamma = min(amount / steps, sqrt(2) - 1)`. 0 adds nothing.
  public let amount: Double
  /// `S_tmin` and `S_tmax`: the ratios of noise to signal between which noise is added.
  public let lowest, highest: Double
  /// `S_noise`: what the noise is multiplied by.
  public let noiseScale: Double

  /// No churn, or as much as said.
  public init(
    _ amount: Double = 0, from lowest: Double = 0, to highest: Double = .infinity,
    noiseScale: Double = 1
  ) {
    require(
      amount >= 0 && noiseScale >= 0 && lowest <= highest, "Churn",
      "amount \(amount), noise scale \(noiseScale), from \(lowest) to \(highest): "
        + "give numbers of 0 or more, the lower bound first")
    self.amount = amount
    self.lowest = lowest
    self.highest = highest
    self.noiseScale = noiseScale
  }

  /// The sample and the level that the step starts from.
  func raised<N: NoiseSource>(
    _ x: Tensor, over interval: Interval, stepsDone: Int, noise: inout N
  ) -> (x: Tensor, interval: Interval) {
    let ratio = interval.from.ratio
    let steps = Double(stepsDone + interval.following.count + 1)
    let gamma = min(amount / steps, 2.0.squareRoot() - 1)
    guard gamma > 0, ratio.isFinite, (lowest...highest).contains(ratio) else {
      return (x, interval)
    }
    let upper = interval.level(ratio: ratio * (1 + gamma))
    let transition = Transition(from: interval.from, to: upper)
    let part = Interval(from: interval.from, to: upper)
    let deviation = transition.variance.squareRoot() * noiseScale
    let raised = Tensor.linearCombination([
      (transition.scale, x), (deviation, noise.noise(like: x, over: part)),
    ])
    return (
      raised, Interval(from: upper, to: interval.to, following: interval.following)
    )
  }
}

/// How many steps a solver made, which tells it how many there are in all.
public struct StepCount: Sendable, Hashable, Codable {
  /// The steps so far.
  public internal(set) var stepsDone = 0
}
