import Foundation
import TensorCore

// Between the timesteps.

extension DiscreteProcess {
  /// From the first timestep to the last.
  public var times: ClosedRange<Double> { 0...Double(count - 1) }

  /// The level at a timestep, fractional ones by interpolation; times outside of the chain are the ends'.
  public func level(at time: Double) -> NoiseLevel {
    let index = Int(min(max(time.rounded(.down), 0), Double(count - 1)))
    let share = time - Double(index)
    if share <= 0 || index == count - 1 { return levels[index] }
    let (low, high) = (levels[index].ratio, levels[index + 1].ratio)
    guard high.isFinite else { return levels[share < 0.5 ? index : index + 1] }
    let ratio = interpolation == .linear ? low + share * (high - low) : low * pow(high / low, share)
    return NoiseLevel(variancePreservingRatio: ratio)
  }

  /// The timestep that a level belongs to: exact for the chain's own levels, interpolated between them, the first or
  /// the last beyond the ends.
  public func time(of level: NoiseLevel) -> Double {
    let ratio = level.ratio
    if ratio <= levels[0].ratio { return 0 }
    if ratio >= levels[count - 1].ratio { return Double(count - 1) }
    let low = lastTimestep(notAbove: ratio)
    let (before, after) = (levels[low].ratio, levels[low + 1].ratio)
    if ratio == before || !after.isFinite { return Double(low) }
    if interpolation == .linear { return Double(low) + (ratio - before) / (after - before) }
    return Double(low) + log(ratio / before) / log(after / before)
  }

  /// The timestep whose ratio of noise to signal differs least from a level's.
  public func nearestTimestep(to level: NoiseLevel) -> Int {
    let low = lastTimestep(notAbove: level.ratio)
    if low == count - 1 { return low }
    return level.ratio - levels[low].ratio > levels[low + 1].ratio - level.ratio ? low + 1 : low
  }

  /// The last timestep whose ratio is at most `ratio`, or the first.
  private func lastTimestep(notAbove ratio: Double) -> Int {
    var (low, high) = (0, count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if levels[middle].ratio <= ratio { low = middle } else { high = middle }
    }
    return low
  }

  /// The time, rounded as ``rounding`` says.
  public func timestep(at time: Double) -> Double { rounding.applied(to: time) }

  /// The level whose squares add up to 1.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel {
    NoiseLevel(variancePreservingRatio: level.ratio)
  }

  /// `d ln(signal) / dt = -noise^2 d ln(ratio) / dt` of the interpolated chain.
  public func drift(at time: Double) -> Double {
    let noise = level(at: time).noise
    return -noise * noise * slope(at: time)
  }

  /// `2 noise^2 d ln(ratio) / dt` of the interpolated chain.
  public func squaredDiffusion(at time: Double) -> Double {
    let noise = level(at: time).noise
    return 2 * noise * noise * slope(at: time)
  }

  /// `d ln(ratio) / dt` between the two timesteps about a time.
  private func slope(at time: Double) -> Double {
    require(count > 1, "drift", "a chain of one step has no rate of change")
    let index = Int(min(max(time.rounded(.down), 0), Double(count - 2)))
    let (low, high) = (levels[index].ratio, levels[index + 1].ratio)
    return interpolation == .linear ? (high - low) / level(at: time).ratio : log(high / low)
  }
}
