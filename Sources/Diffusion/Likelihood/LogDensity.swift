import Foundation

/// The log density of one sample, in nats.
public struct LogDensity: Sendable, Hashable, Codable {
  /// One independent estimate a probe; a single one where the divergence is exact.
  public let estimates: [Double]
  /// How often the denoiser was asked.
  public let evaluations: Int

  /// A log density of its independent estimates, one or more.
  public init(estimates: [Double], evaluations: Int) {
    self.estimates = estimates
    self.evaluations = evaluations
  }

  /// The mean of the estimates.
  public var value: Double { estimates.reduce(0, +) / Double(estimates.count) }

  /// The standard error of ``value`` by the scatter of the probes; `nil` for fewer than two estimates.
  public var standardError: Double? {
    let (count, mean) = (Double(estimates.count), value)
    if count < 2 { return nil }
    let squares = estimates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / (count - 1) / count).squareRoot()
  }

  /// What holds the true value with a probability of `share`, by Student's distribution; `nil` for fewer than two
  /// estimates.
  public func interval(holding share: Double = 0.95) -> ClosedRange<Double>? {
    guard let standardError else { return nil }
    let reach =
      standardError * StudentDistribution.reach(of: share, degrees: estimates.count - 1)
    return (value - reach)...(value + reach)
  }
}

/// Student's t distribution of a whole number of degrees of freedom.
package enum StudentDistribution {
  /// The probability of lying within `-t...t` (Abramowitz and Stegun, equations 26.7.3 and 26.7.4).
  package static func share(within t: Double, degrees: Int) -> Double {
    let angle = atan(t / Double(degrees).squareRoot())
    let square = cos(angle) * cos(angle)
    let isOdd = degrees % 2 == 1
    var term = isOdd ? cos(angle) : 1
    var sum = degrees > 1 ? term : 0
    var index = isOdd ? 3 : 2
    while index < degrees {
      term *= square * Double(index - 1) / Double(index)
      sum += term
      index += 2
    }
    return isOdd ? 2 / .pi * (angle + sin(angle) * sum) : sin(angle) * sum
  }

  /// The `t` with a probability of `share` of lying within `-t...t`.
  package static func reach(of share: Double, degrees: Int) -> Double {
    var (low, high) = (0.0, 1.0)
    while Self.share(within: high, degrees: degrees) < share { high *= 2 }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if Self.share(within: middle, degrees: degrees) < share {
        low = middle
      } else {
        high = middle
      }
    }
    return (low + high) / 2
  }
}
