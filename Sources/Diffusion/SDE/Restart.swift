import Foundation
import TensorCore

/// Restart sampling (Xu et al. 2023, arXiv:2306.14878, algorithm 1): after the trajectory came down to a low ratio of
/// noise to signal, noise takes it back up to a higher one, from where it comes down again, some times over.
///
/// A plan, not a solver: any deterministic solver goes down, the forward process goes up.
public struct Restart: Sendable, Hashable, Codable {
  /// The ratio from which it goes back up.
  public var lowest: Double
  /// The ratio that it goes up to.
  public var highest: Double
  /// The levels of one way down, the two ends among them, spaced as Karras et al. 2022 do.
  public var levels: Int
  /// How often.
  public var times: Int

  /// Restarts; the numbers are stable-diffusion-webui's.
  public init(lowest: Double = 0.1, highest: Double = 2, levels: Int = 10, times: Int = 1) {
    require(
      lowest > 0 && lowest < highest && levels > 1 && times >= 0, "Restart",
      "from \(lowest) to \(highest) over \(levels) levels, \(times) times: give two rising "
        + "ratios above 0 and two levels or more")
    self.lowest = lowest
    self.highest = highest
    self.levels = levels
    self.times = times
  }

  /// The plan with the restarts put in, between those of its levels that are nearest to ``lowest`` and ``highest``; as it
  /// is where those are one.
  public func applied(to plan: SamplingPlan) -> SamplingPlan {
    let ends = plan.intervals.map(\.to)
    guard let low = nearest(lowest, in: ends), let high = nearest(highest, in: ends),
      high < low, ends[low].noise > 0
    else { return plan }
    let down = wayDown(from: ends[high], to: ends[low])
    var legs = Array(plan.intervals[...low])
    for visit in 1...max(times, 1) where times > 0 {
      legs.append(Interval(from: ends[low], to: ends[high], kind: .renoised, visit: visit))
      legs += zip(down, down.dropFirst()).map { Interval(from: $0, to: $1, visit: visit) }
    }
    legs += plan.intervals[(low + 1)...]
    return SamplingPlan(
      intervals: legs.indices.map { index in
        let leg = legs[index]
        return Interval(
          from: leg.from, to: leg.to, following: legs[(index + 1)...].map(\.to), kind: leg.kind,
          visit: leg.visit)
      })
  }

  private func nearest(_ ratio: Double, in levels: [NoiseLevel]) -> Int? {
    levels.indices.min { abs(levels[$0].ratio - ratio) < abs(levels[$1].ratio - ratio) }
  }

  private func wayDown(from high: NoiseLevel, to low: NoiseLevel) -> [NoiseLevel] {
    let way = Interval(from: high, to: low)
    let (first, last) = (pow(high.ratio, 1.0 / 7), pow(low.ratio, 1.0 / 7))
    let between = (1..<levels - 1).map { index in
      let share = Double(index) / Double(levels - 1)
      return way.level(ratio: pow(first + share * (last - first), 7))
    }
    return [high] + between + [low]
  }
}
