import TensorCore

/// The variance-preserving chain of DDPM: T steps `q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t I)`.
///
/// Timesteps count from 0, as models are trained with them: timestep 0 has one step's noise. Between timesteps the ratio of
/// noise to signal is interpolated, so that the chain is a ``Process`` too.
public struct DiscreteProcess: Process {
  /// The variance that each step adds.
  public let betas: [Double]
  /// The level at each timestep.
  public let levels: [NoiseLevel]
  /// What lies between two timesteps.
  public var interpolation = Interpolation.logarithmic
  /// How networks are told a time between two timesteps.
  public var rounding = TimestepRounding.none

  /// What is linear in time between two timesteps.
  public enum Interpolation: String, Sendable, Hashable, Codable {
    /// The logarithm of the ratio of noise to signal, as k-diffusion has it.
    case logarithmic
    /// The ratio itself, as diffusers has it where it begins with fractional timesteps.
    case linear
  }

  /// The chain of `count` steps of a schedule.
  ///
  /// - Parameters:
  ///   - zeroTerminalSNR: whether signals are shifted and scaled so that the last is 0 and the first stays (Lin et al.
  ///     2023, algorithm 1).
  ///   - terminalSquaredSignal: what the last squared signal is to be in place of 0; diffusers has 2^-24 where a scheduler
  ///     divides by it.
  public init(
    _ schedule: BetaSchedule, count: Int = 1000, zeroTerminalSNR: Bool = false,
    terminalSquaredSignal: Double = 0
  ) {
    let plain = schedule.betas(count)
    self.init(betas: zeroTerminalSNR ? Self.rescaled(plain, terminalSquaredSignal) : plain)
  }

  /// The chain with the given betas.
  public init(betas: [Double]) {
    require(
      !betas.isEmpty && betas.allSatisfy { $0 > 0 && $0 <= 1 }, "DiscreteProcess",
      "betas lie above 0 and are at most 1, got \(betas.prefix(3)) ... \(betas.suffix(1))")
    self.betas = betas
    var product = 1.0
    levels = betas.map {
      product *= 1 - $0
      return NoiseLevel(squaredSignal: product)
    }
  }

  /// How many timesteps there are.
  public var count: Int { levels.count }

  /// The product of `1 - beta` up to a timestep: DDPM's alpha-bar.
  public func squaredSignal(_ timestep: Int) -> Double {
    levels[timestep].signal * levels[timestep].signal
  }

  /// The level before a timestep: clean data before the first.
  public func levelBefore(_ timestep: Int) -> NoiseLevel {
    timestep == 0 ? .clean : levels[timestep - 1]
  }

  /// `q(x_t | x_{t-1})`.
  public func transition(_ timestep: Int) -> Transition {
    Transition(from: levelBefore(timestep), to: levels[timestep])
  }

  /// `q(x_{t-1} | x_t, x_0)`.
  public func posterior(_ timestep: Int) -> Posterior {
    Posterior(at: levelBefore(timestep), from: levels[timestep])
  }

  private static func rescaled(_ betas: [Double], _ terminal: Double) -> [Double] {
    var product = 1.0
    let signals = betas.map { beta -> Double in
      product *= 1 - beta
      return product.squareRoot()
    }
    guard let first = signals.first, let last = signals.last, first > last else { return betas }
    var squares = signals.map { signal -> Double in
      let moved = (signal - last) * first / (first - last)
      return moved * moved
    }
    squares[squares.count - 1] = terminal
    return squares.indices.map { 1 - squares[$0] / ($0 == 0 ? 1 : squares[$0 - 1]) }
  }
}
