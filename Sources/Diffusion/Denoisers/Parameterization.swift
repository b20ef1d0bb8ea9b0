/// What a network's output stands for.
public enum Parameterization: String, Sendable, Codable, CaseIterable {
  /// The noise (Ho et al. 2020).
  case epsilon
  /// The data, x0.
  case sample
  /// `v = signal * epsilon - noise * x0` (Salimans and Ho 2022).
  case velocity = "v_prediction"

  /// The numbers that make a denoiser of a network at a level: `D(x) = skip x + output F(input x; time)`.
  ///
  /// - Parameter process: gives the time that the network is told.
  public func preconditioning<P: Process>(
    at level: NoiseLevel, of process: P
  ) -> Preconditioning {
    let (signal, noise) = (level.signal, level.noise)
    let time = process.time(of: level)
    switch self {
    case .epsilon:
      return Preconditioning(skip: 1 / signal, output: -noise / signal, input: 1, time: time)
    case .sample:
      return Preconditioning(skip: 0, output: 1, input: 1, time: time)
    case .velocity:
      let total = level.totalVariance
      return Preconditioning(skip: signal / total, output: -noise / total, input: 1, time: time)
    }
  }

  /// What the network is to answer, `data x0 + noise epsilon`, at a level.
  public func target(at level: NoiseLevel) -> (data: Double, noise: Double) {
    switch self {
    case .epsilon: (0, 1)
    case .sample: (1, 0)
    case .velocity: (-level.noise, level.signal)
    }
  }
}

/// The four numbers of Karras et al. 2022, equation 7: `D(x) = skip x + output F(input x; time)`.
public struct Preconditioning: Sendable, Hashable {
  /// c_skip: the sample's own share.
  public let skip: Double
  /// c_out: the network's share.
  public let output: Double
  /// c_in: what the network's input is multiplied by.
  public let input: Double
  /// c_noise: what the network is told of the level.
  public let time: Double

  /// The four numbers.
  public init(skip: Double, output: Double, input: Double, time: Double) {
    self.skip = skip
    self.output = output
    self.input = input
    self.time = time
  }
}
