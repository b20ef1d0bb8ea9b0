import Foundation
import TensorCore

/// The variance-preserving chain of DDPM: T steps `q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t I)`.
///
/// Timesteps count from 0, as models are trained with them: timestep 0 has one step's noise. Between timesteps the
/// logarithm of the ratio of noise to signal is interpolated, as k-diffusion does, so that the chain is a ``Process`` too.
public struct DiscreteProcess: Process {
  /// The variance that each step adds.
  public let betas: [Double]
  /// The level at each timestep.
  public let levels: [NoiseLevel]
  private let logRatios: [Double]

  /// The chain of `count` steps of a schedule.
  ///
  /// - Parameter zeroTerminalSNR: whether signals are shifted and scaled so that the last is 0 and the first stays
  ///   (Lin et al. 2023, algorithm 1).
  public init(_ schedule: BetaSchedule, count: Int = 1000, zeroTerminalSNR: Bool = false) {
    let plain = schedule.betas(count)
    self.init(betas: zeroTerminalSNR ? Self.rescaled(plain) : plain)
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
    logRatios = levels.map { log($0.ratio) }
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

  private static func rescaled(_ betas: [Double]) -> [Double] {
    var product = 1.0
    let signals = betas.map { beta -> Double in
      product *= 1 - beta
      return product.squareRoot()
    }
    guard let first = signals.first, let last = signals.last, first > last else { return betas }
    let squares = signals.map { signal -> Double in
      let moved = (signal - last) * first / (first - last)
      return moved * moved
    }
    return squares.indices.map { 1 - squares[$0] / ($0 == 0 ? 1 : squares[$0 - 1]) }
  }
}

// MARK: - Between the timesteps

extension DiscreteProcess {
  /// From the first timestep to the last.
  public var times: ClosedRange<Double> { 0...Double(count - 1) }

  /// The level at a timestep, fractional ones by interpolation; times outside of the chain are the ends'.
  public func level(at time: Double) -> NoiseLevel {
    let index = Int(min(max(time.rounded(.down), 0), Double(count - 1)))
    let share = time - Double(index)
    if share <= 0 || index == count - 1 { return levels[index] }
    let (low, high) = (logRatios[index], logRatios[index + 1])
    guard high.isFinite else { return levels[share < 0.5 ? index : index + 1] }
    return NoiseLevel(variancePreservingRatio: exp(low + share * (high - low)))
  }

  /// The timestep that a level belongs to: exact for the chain's own levels, interpolated between them, the first or
  /// the last beyond the ends.
  public func time(of level: NoiseLevel) -> Double {
    let ratio = level.ratio
    var (low, high) = (0, count - 1)
    if ratio <= levels[low].ratio { return 0 }
    if ratio >= levels[high].ratio { return Double(high) }
    while high - low > 1 {
      let middle = (low + high) / 2
      if levels[middle].ratio <= ratio { low = middle } else { high = middle }
    }
    if ratio == levels[low].ratio { return Double(low) }
    if !logRatios[high].isFinite { return Double(low) }
    return Double(low) + (log(ratio) - logRatios[low]) / (logRatios[high] - logRatios[low])
  }

  /// The level whose squares add up to 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel {
    NoiseLevel(variancePreservingRatio: level.ratio)
  }

  /// `d ln(signal) / dt = -noise^2 d ln(ratio) / dt` of the interpolated chain.
  public func drift(at time: Double) -> Double {
    let noise = level(at: time).noise
    return -noise * noise * slope(at: time)
  }

  /// `2 noise^2 d ln(ratio) / dt` of the interpolated chain.
  public func squaredDiffusion(at time: Double) -> Double {
    let noise = level(at: time).noise
    return 2 * noise * noise * slope(at: time)
  }

  private func slope(at time: Double) -> Double {
    require(count > 1, "drift", "a chain of one step has no rate of change")
    let index = Int(min(max(time.rounded(.down), 0), Double(count - 2)))
    return logRatios[index + 1] - logRatios[index]
  }
}
