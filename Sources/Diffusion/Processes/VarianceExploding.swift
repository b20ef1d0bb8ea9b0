import Foundation
import TensorCore

/// The variance-exploding SDE of Song et al. 2021, equations 9 and 30: the signal stays, and the noise's deviation grows
/// geometrically, `sigma(t) = smallest (largest / smallest)^t`, with `dx = sigma(t) sqrt(2 ln(largest / smallest)) dW`.
public struct VarianceExploding: Process, Hashable, Codable {
  /// The noise's deviation at time 0.
  public let smallest: Double
  /// The noise's deviation at time 1; as large as the data's largest distance (Song and Ermon 2020, technique 1).
  public let largest: Double

  /// The SDE over the unit interval; 0.01 and 50 are the paper's for CIFAR-10.
  public init(from smallest: Double = 0.01, to largest: Double = 50) {
    require(
      smallest > 0 && largest > smallest, "VarianceExploding",
      "the noise runs from \(smallest) to \(largest): it is to grow from above 0")
    self.smallest = smallest
    self.largest = largest
  }

  /// The unit interval.
  public var times: ClosedRange<Double> { 0...1 }
  /// From 1e-5, as the paper's code has it.
  public var samplingTimes: ClosedRange<Double> { 1e-5...1 }
  private var growth: Double { log(largest / smallest) }

  /// The level at a time.
  public func level(at time: Double) -> NoiseLevel {
    NoiseLevel(sigma: smallest * exp(time * growth))
  }
  /// From the logarithm of the ratio, which is linear in time; minus infinity for clean data.
  public func time(of level: NoiseLevel) -> Double {
    let ratio = level.ratio
    return ratio.isFinite ? log(ratio / smallest) / growth : times.upperBound
  }
  /// 0.
  public func drift(at time: Double) -> Double { 0 }
  /// `2 sigma(t)^2 ln(largest / smallest)`.
  public func squaredDiffusion(at time: Double) -> Double {
    let sigma = level(at: time).noise
    return 2 * sigma * sigma * growth
  }
  /// The level whose signal is 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel { NoiseLevel(sigma: level.ratio) }
  /// The noise's deviation: networks are told sigma, not time.
  public func timestep(at time: Double) -> Double { level(at: time).noise }
  /// The time of a deviation.
  public func time(ofTimestep timestep: Double) -> Double { time(ofRatio: timestep) }
}
