import Foundation
import TensorCore

/// The beta distribution on 0...1 with density `x^(a - 1) (1 - x)^(b - 1) / B(a, b)`.
public struct BetaDistribution: Sendable, Hashable, Codable {
  /// a: below 1 the density grows towards 0.
  public let a: Double
  /// b: below 1 the density grows towards 1.
  public let b: Double

  /// The distribution; both numbers are above 0 and not so large that their gamma function overflows (up to about 80).
  public init(_ a: Double, _ b: Double) {
    require(
      a > 0 && b > 0 && a + b < 160, "BetaDistribution",
      "a \(a) and b \(b) are to be above 0 and below 80")
    self.a = a
    self.b = b
  }

  private var normalizer: Double { tgamma(a) * tgamma(b) / tgamma(a + b) }
  private var mirrored: BetaDistribution { BetaDistribution(b, a) }

  /// The probability of at most `x`: the regularised incomplete beta function (DLMF 8.17.2), by its continued fraction
  /// (DLMF 8.17.22) on the side where that converges fast.
  public func cumulative(_ x: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - mirrored.cumulative(1 - x) }
    let front = pow(x, a) * pow(1 - x, b) / (a * normalizer)
    return front / continuedFraction(x)
  }

  /// `1 + d1 / (1 + d2 / (1 + ...))`, by the modified Lentz method.
  private func continuedFraction(_ x: Double) -> Double {
    let tiny = 1e-300
    var (value, c, d) = (1.0, 1.0, 0.0)
    for index in 1...500 {
      let m = Double(index / 2)
      let term =
        index.isMultiple(of: 2)
        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 + term * d
      c = 1 + term / c
      d = 1 / (abs(d) < tiny ? tiny : d)
      c = abs(c) < tiny ? tiny : c
      value *= c * d
      if abs(c * d - 1) < 1e-16 { break }
    }
    return value
  }

  /// The `x` whose probability ``cumulative(_:)`` is `share`, to some units of the last place of `x` (or of `1 - x`, where
  /// that is smaller).
  public func quantile(_ share: Double) -> Double {
    require((0...1).contains(share), "quantile", "a probability of \(share): give 0 to 1")
    if share == 0 || share == 1 || a == b && share == 0.5 { return share }
    let middle = cumulative(0.5)
    return share <= middle ? lowerQuantile(share) : 1 - mirrored.lowerQuantile(1 - share)
  }

  /// Newton's method in `ln x` over 0...0.5, where the logarithm of the probability is nearly linear; a step that leaves
  /// the bracket is halved into it.
  private func lowerQuantile(_ share: Double) -> Double {
    var (low, high) = (-745.0, log(0.5))
    var place = min(log(share * a * normalizer) / a, high)
    for _ in 0..<200 {
      let x = exp(place)
      let error = cumulative(x) - share
      if error > 0 { high = min(high, place) } else { low = max(low, place) }
      let slope = pow(x, a) * pow(1 - x, b - 1) / normalizer
      let step = error / slope
      // The next error is this one's square: far below a rounding.
      if abs(step) < 1e-12 { return exp(place - step) }
      let next = place - step
      place = next > low && next < high ? next : (low + high) / 2
    }
    return exp(place)
  }
}
