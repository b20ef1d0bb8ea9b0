import Foundation
import TensorCore

/// A rate of noise that grows evenly over the unit interval, `beta(t) = first + t (last - first)` (Song et al. 2021,
/// equation 32), which the variance-preserving and the sub-variance-preserving SDE share.
public struct LinearBeta: Sendable, Hashable, Codable {
  /// beta(0).
  public let first: Double
  /// beta(1).
  public let last: Double

  /// The rate between two ends, the last above 0 and neither negative; 0.1 and 20 are the paper's.
  public init(from first: Double = 0.1, to last: Double = 20) {
    require(
      first >= 0 && last >= first && last > 0, "LinearBeta",
      "beta runs from \(first) to \(last): it is to grow from 0 or more to more than 0")
    self.first = first
    self.last = last
  }

  /// beta(t).
  public func callAsFunction(_ time: Double) -> Double { first + time * (last - first) }

  /// The integral of beta from 0 to a time, which is `-2 ln(signal)`.
  public func integral(to time: Double) -> Double {
    time * (first + time * (last - first) / 2)
  }

  /// The time to which the integral is `value`: the root of the quadratic, in the form that does not cancel.
  public func time(ofIntegral value: Double) -> Double {
    if value == 0 { return 0 }
    return 2 * value / (first + (first * first + 2 * (last - first) * value).squareRoot())
  }
}
