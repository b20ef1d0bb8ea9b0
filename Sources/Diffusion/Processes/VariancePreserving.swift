import Foundation

/// The variance-preserving SDE of Song et al. 2021, equations 11 and 33: DDPM's chain in the limit of many steps,
/// `dx = -beta(t) x / 2 dt + sqrt(beta(t)) dW`, where `signal^2 = exp(-integral of beta)` and `signal^2 + noise^2 = 1`.
public struct VariancePreserving: Process, Hashable, Codable {
  /// The rate of noise.
  public let beta: LinearBeta
  /// What networks are told is `timeScale` times the time; 999 in the paper's code.
  public let timeScale: Double

  /// The SDE over the unit interval.
  public init(beta: LinearBeta = LinearBeta(), timeScale: Double = 999) {
    self.beta = beta
    self.timeScale = timeScale
  }

  /// The unit interval.
  public var times: ClosedRange<Double> { 0...1 }
  /// From 1e-3, as the paper's code has it.
  public var samplingTimes: ClosedRange<Double> { 1e-3...1 }

  /// The level at a time.
  public func level(at time: Double) -> NoiseLevel {
    let integral = beta.integral(to: time)
    return NoiseLevel(signal: exp(-integral / 2), noise: (-expm1(-integral)).squareRoot())
  }

  /// From `ratio^2 = exp(integral) - 1`.
  public func time(of level: NoiseLevel) -> Double {
    let ratio = level.ratio
    if !ratio.isFinite { return times.upperBound }
    // 2 ln(ratio) where its square has no room in a Double.
    let integral = ratio < 1e150 ? log1p(ratio * ratio) : 2 * log(ratio)
    return beta.time(ofIntegral: integral)
  }

  /// `-beta(t) / 2`.
  public func drift(at time: Double) -> Double { -beta(time) / 2 }
  /// `beta(t)`.
  public func squaredDiffusion(at time: Double) -> Double { beta(time) }
  /// The level whose squares add up to 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel {
    NoiseLevel(variancePreservingRatio: level.ratio)
  }
  /// The time, scaled.
  public func timestep(at time: Double) -> Double { time * timeScale }
  /// The timestep over the scale.
  public func time(ofTimestep timestep: Double) -> Double { timestep / timeScale }
}
