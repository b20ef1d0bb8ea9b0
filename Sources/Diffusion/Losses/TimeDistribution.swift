import Foundation
import TensorCore

/// How the times are drawn at which a network is trained.
public enum TimeDistribution: Sendable, Hashable, Codable {
  /// One of so many times, evenly spaced from the process's first to its last: all timesteps of a chain of that length, the
  /// geometric sequence of deviations of NCSN on a ``VarianceExploding`` process (Song and Ermon 2019, section 4.1).
  case evenlySpaced(Int)
  /// Any time from a first one to the process's last, each as likely (Song et al. 2021, equation 7).
  case uniform(from: Double)
  /// Importance sampling for ``LossWeighting/likelihood``: density `g(t)^2 / noise(t)^2`, with which the variance of the
  /// loss is the least where all levels have the same error in epsilon (Song, Durkan, Murray and Ermon 2021).
  /// On a linear process that is twice the rate of `ln(noise / signal)`: the logarithm is drawn uniformly. The loss keeps
  /// its expectation by ``NoisyBatch/importance``.
  case importance(from: Double)
  /// `ln(noise / signal)` is normal (Karras et al. 2022, table 1), beyond the process's ends too.
  case logNormal(mean: Double = -1.2, deviation: Double = 1.2)

  /// Times of `count` samples, and what their losses are multiplied by: 1 but for ``importance(from:)``, where it is the
  /// uniform density over the drawn one.
  public func draw<P: Process, G: RandomGenerator>(
    _ count: Int, on process: P, using draws: inout G
  ) -> (times: [Double], importance: [Double]) {
    let ones = [Double](repeating: 1, count: count)
    switch self {
    case .evenlySpaced(let parts):
      let (first, last) = (process.times.lowerBound, process.times.upperBound)
      let times = draws.integers(below: parts, count: count).map {
        parts == 1 ? last : first + (last - first) * Double($0) / Double(parts - 1)
      }
      return (times, ones)
    case .logNormal(let mean, let deviation):
      let logs = draws.normalDoubles(count, mean: mean, deviation: deviation)
      return (logs.map { process.time(ofRatio: exp($0)) }, ones)
    case .uniform, .importance:
      let drawn = draws.uniformDoubles(count).map { quantile($0, on: process) }
      return (drawn.map(\.time), drawn.map(\.importance))
    }
  }

  /// The time below which the share `share` of the draws lies, for the two that are drawn from an interval.
  package func quantile<P: Process>(
    _ share: Double, on process: P
  ) -> (time: Double, importance: Double) {
    let last = process.times.upperBound
    switch self {
    case .uniform(let first): return (first + share * (last - first), 1)
    case .importance(let first):
      let (low, high) = (log(process.ratio(at: first)), log(process.ratio(at: last)))
      let time = process.time(ofRatio: exp(low + share * (high - low)))
      let noise = process.level(at: time).noise
      let rate = process.squaredDiffusion(at: time) / (2 * noise * noise)
      return (time, (high - low) / ((last - first) * rate))
    case .evenlySpaced, .logNormal: misuse("quantile", "of an interval's distributions alone")
    }
  }
}
