import TensorCore

/// Langevin steps at one level, `x' = x + step score + sqrt(2 step) z`, which leave the level's density as it is where
/// steps are small.
public struct Langevin: Sendable, Hashable, Codable {
  /// How long a step is.
  public enum StepSize: String, Sendable, Hashable, Codable {
    /// `2 alpha (snr |z| / |score|)^2`, the norms each sample's own (Song et al. 2021, algorithms 4 and 5; their program
    /// takes the batch's mean, so that a sample depends on its batch).
    case norms
    /// `2 alpha (snr noise)^2`: Song and Ermon's annealed Langevin dynamics as a corrector, with the level's noise for
    /// the norms' ratio.
    case level
  }

  /// The signal-to-noise ratio of a step.
  public let snr: Double
  /// How many steps.
  public let count: Int
  /// How long each is.
  public let size: StepSize

  /// Steps; 0.16 is that of CIFAR-10 (Song et al. 2021, table 5).
  public init(snr: Double = 0.16, count: Int = 1, size: StepSize = .norms) {
    require(snr > 0 && count >= 0, "Langevin", "snr \(snr), \(count) steps: give more than 0")
    self.snr = snr
    self.count = count
    self.size = size
  }

  /// The sample after the steps at a level, which has noise.
  ///
  /// - Parameter alpha: 1 on variance-exploding levels, DDPM's 1 - beta of the step to come on others.
  public func corrected<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, at level: NoiseLevel, alpha: Double, visit: Int,
    with denoiser: inout Evaluator<D>, noise: inout N
  ) throws(D.Failure) -> Tensor {
    var x = x
    let place = Interval(from: level, to: level, visit: visit)
    for draw in 0..<count {
      let score = try denoiser(x, at: level).score(of: x, at: level)
      let z = noise.noise(like: x, over: place, draw: draw)
      let steps = sizes(score, z, level, alpha)
      let ones = [Double](repeating: 1, count: steps.count)
      x = Tensor.linearCombination(perSample: [
        (ones, x), (steps, score), (steps.map { (2 * $0).squareRoot() }, z),
      ])
    }
    return x
  }

  private func sizes(
    _ score: Tensor, _ z: Tensor, _ level: NoiseLevel, _ alpha: Double
  ) -> [Double] {
    if size == .level {
      let one = 2 * alpha * snr * snr * level.noise * level.noise
      return [Double](repeating: one, count: z.shape[0])
    }
    return zip(Self.squaredNorms(z), Self.squaredNorms(score)).map { noise, score in
      score > 0 ? 2 * alpha * snr * snr * noise / score : 0
    }
  }

  /// The sum of squares of each sample.
  private static func squaredNorms(_ x: Tensor) -> [Double] {
    (x * x).sum(axes: Array(1..<x.shape.count)).doubles
  }
}

/// Predictor-corrector sampling (Song et al. 2021, algorithm 1): Langevin steps at the leg's start, then any solver's step
/// over the leg.
public struct PredictorCorrector<Predictor: Solver>: Solver {
  /// Makes the steps between levels.
  public let predictor: Predictor
  /// Makes those at a level.
  public let corrector: Langevin
  /// The predictor's.
  public var order: Int { predictor.order }

  /// A predictor and a corrector.
  public init(_ predictor: Predictor, _ corrector: Langevin = Langevin()) {
    self.predictor = predictor
    self.corrector = corrector
  }

  /// The predictor's memory.
  public func start() -> Predictor.Memory { predictor.start() }

  /// One step: as many evaluations as the corrector has steps, and the predictor's. Pure noise is not corrected.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Predictor.Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    var x = x
    let from = interval.from
    if from.signal > 0 {
      let scale = Transition(from: interval.to, to: from).scale
      x = try corrector.corrected(
        x, at: from, alpha: scale * scale, visit: interval.visit, with: &denoiser, noise: &noise)
    }
    return try predictor.step(
      x, over: interval, with: &denoiser, noise: &noise, memory: &memory)
  }
}
