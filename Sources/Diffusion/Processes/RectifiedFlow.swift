import Foundation
import TensorCore

/// The straight path from data to noise, `x = (1 - s) x0 + s epsilon` (Liu et al. 2022; Lipman et al. 2022), with
/// `s = shift t / (1 + (shift - 1) t)` (Esser et al. 2024, equation 23): a shift above 1 spends more of the time where noise is
/// strong, as larger pictures need. Networks are told `s`, scaled.
public struct RectifiedFlow: Process, Hashable, Codable {
  /// How far time is shifted towards noise; 1 is not at all.
  public let shift: Double
  /// What networks are told is `timeScale` times the noise; 1000 for Stable Diffusion 3 and Flux.
  public let timeScale: Double
  /// How it is rounded.
  public var rounding = TimestepRounding.none

  /// The path over the unit interval; `shift` is above 0.
  public init(shift: Double = 1, timeScale: Double = 1000) {
    require(shift > 0, "RectifiedFlow", "shift is \(shift): give a number above 0")
    self.shift = shift
    self.timeScale = timeScale
  }

  /// The unit interval.
  public var times: ClosedRange<Double> { 0...1 }
  /// From the least of ``timeScale`` equal steps.
  public var samplingTimes: ClosedRange<Double> { 1 / timeScale...1 }

  /// The level at a time.
  public func level(at time: Double) -> NoiseLevel {
    let rest = 1 + (shift - 1) * time
    return NoiseLevel(signal: (1 - time) / rest, noise: shift * time / rest)
  }
  /// From `t / (1 - t) = ratio / shift`.
  public func time(of level: NoiseLevel) -> Double {
    level.noise / (shift * level.signal + level.noise)
  }
  /// `-s'(t) / (1 - s)`, which has no bound at the end.
  public func drift(at time: Double) -> Double {
    -shift / ((1 - time) * (1 + (shift - 1) * time))
  }
  /// `2 s s'(t) / (1 - s)`.
  public func squaredDiffusion(at time: Double) -> Double {
    -2 * level(at: time).noise * drift(at: time)
  }
  /// The level whose signal and noise add up to 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel {
    let sum = level.signal + level.noise
    return NoiseLevel(signal: level.signal / sum, noise: level.noise / sum)
  }
  /// The noise.
  public func sigma(of level: NoiseLevel) -> Double { ownLevel(of: level).noise }
  /// The level of that noise.
  public func level(ofSigma sigma: Double) -> NoiseLevel {
    NoiseLevel(signal: 1 - sigma, noise: sigma)
  }
  /// The noise, scaled and rounded.
  public func timestep(at time: Double) -> Double {
    rounding.applied(to: level(at: time).noise * timeScale)
  }
  /// The time of a noise, scaled.
  public func time(ofTimestep timestep: Double) -> Double {
    let noise = timestep / timeScale
    return noise / (shift * (1 - noise) + noise)
  }
}

extension RectifiedFlow {
  /// How the shift follows a picture's size: `mu` is linear in the number of tokens that the network sees, and the shift
  /// is `exp(mu)` (Flux) or `mu` itself.
  public struct ResolutionShift: Sendable, Hashable, Codable {
    /// mu at ``baseTokens``.
    public var base = 0.5
    /// mu at ``largestTokens``.
    public var largest = 1.15
    /// The tokens of a 256x256 picture (two by two of its latents each).
    public var baseTokens = 256
    /// The tokens of a 1024x1024 picture.
    public var largestTokens = 4096
    /// Whether the shift is `exp(mu)`, diffusers' `time_shift_type: exponential`; `mu` where it is not.
    public var isExponential = true

    /// diffusers' and Flux's defaults.
    public init() {}

    /// The shift of a picture of so many tokens.
    public func callAsFunction(tokens: Int) -> Double {
      let share = Double(tokens - baseTokens) / Double(largestTokens - baseTokens)
      let mu = base + share * (largest - base)
      return isExponential ? exp(mu) : mu
    }
  }
}
