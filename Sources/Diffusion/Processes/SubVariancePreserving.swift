import Foundation

/// The sub-variance-preserving SDE of Song et al. 2021, equations 13 and 14: the signal of ``VariancePreserving`` with less
/// noise, `noise = 1 - signal^2`, from `dx = -beta(t) x / 2 dt + sqrt(beta(t) (1 - exp(-2 integral of beta))) dW`.
///
/// It is one more linear process: solvers see its levels alone, and each that goes by `signal` and `noise` (not by
/// `signal^2 + noise^2 = 1`) is right for it.
public struct SubVariancePreserving: Process, Hashable, Codable {
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
    return NoiseLevel(signal: exp(-integral / 2), noise: -expm1(-integral))
  }

  /// From `ratio = 1 / signal - signal = 2 sinh(integral / 2)`.
  public func time(of level: NoiseLevel) -> Double {
    let ratio = level.ratio
    return ratio.isFinite ? beta.time(ofIntegral: 2 * asinh(ratio / 2)) : times.upperBound
  }

  /// `-beta(t) / 2`.
  public func drift(at time: Double) -> Double { -beta(time) / 2 }
  /// `beta(t) (1 - signal^4)`.
  public func squaredDiffusion(at time: Double) -> Double {
    -beta(time) * expm1(-2 * beta.integral(to: time))
  }
  /// The level whose noise is 1 less the signal's square.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel {
    let ratio = level.ratio
    if !ratio.isFinite { return .pureNoise }
    let signal = exp(-asinh(ratio / 2))
    return NoiseLevel(signal: signal, noise: ratio * signal)
  }
  /// The time, scaled.
  public func timestep(at time: Double) -> Double { time * timeScale }
  /// The timestep over the scale.
  public func time(ofTimestep timestep: Double) -> Double { timestep / timeScale }
}
