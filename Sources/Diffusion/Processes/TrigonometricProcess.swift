import Foundation

/// The variance-preserving process whose time is the angle between signal and noise, `signal = cos(pi t / 2)` and
/// `noise = sin(pi t / 2)`: with v-prediction (Salimans and Ho 2022, appendix D) that of Dance Diffusion's and Stable Audio's
/// networks, which are told t.
///
/// On variance-exploding levels v-prediction here is EDM's form for data of deviation 1 with its output negated.
public struct TrigonometricProcess: Process, Hashable, Codable {
  /// The process over the unit interval.
  public init() {}

  /// The unit interval.
  public var times: ClosedRange<Double> { 0...1 }
  /// The level at a time.
  public func level(at time: Double) -> NoiseLevel {
    NoiseLevel(signal: cos(.pi / 2 * time), noise: sin(.pi / 2 * time))
  }
  /// The angle's share of a right one.
  public func time(of level: NoiseLevel) -> Double {
    atan2(level.noise, level.signal) / (.pi / 2)
  }
  /// `-pi / 2 tan(pi t / 2)`.
  public func drift(at time: Double) -> Double { -.pi / 2 * tan(.pi / 2 * time) }
  /// `pi tan(pi t / 2)`.
  public func squaredDiffusion(at time: Double) -> Double { .pi * tan(.pi / 2 * time) }
  /// The level whose squares add up to 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel {
    NoiseLevel(variancePreservingRatio: level.ratio)
  }
}
