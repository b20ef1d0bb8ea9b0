import TensorCore

/// The process of Karras et al. 2022, table 1: the signal stays and time is the noise's deviation, `dx = sqrt(2 t) dW`, so
/// that the probability-flow ODE is `dx/dt = (x - D(x; t)) / t`.
public struct EDM: Process, Hashable, Codable {
  /// The least deviation that networks are trained for.
  public let smallest: Double
  /// The largest.
  public let largest: Double

  /// The process between two deviations; 0.002 and 80 are the paper's.
  public init(from smallest: Double = 0.002, to largest: Double = 80) {
    require(
      smallest >= 0 && largest > smallest, "EDM",
      "the noise runs from \(smallest) to \(largest): it is to grow from 0 or more")
    self.smallest = smallest
    self.largest = largest
  }

  /// From the least deviation to the largest.
  public var times: ClosedRange<Double> { smallest...largest }
  /// The level at a time, which is the deviation.
  public func level(at time: Double) -> NoiseLevel { NoiseLevel(sigma: time) }
  /// The ratio.
  public func time(of level: NoiseLevel) -> Double {
    level.ratio.isFinite ? level.ratio : times.upperBound
  }
  /// 0.
  public func drift(at time: Double) -> Double { 0 }
  /// `2 t`.
  public func squaredDiffusion(at time: Double) -> Double { 2 * time }
  /// The level whose signal is 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel { NoiseLevel(sigma: level.ratio) }
}
