import TensorCore

/// The legs of a trajectory, in order.
///
/// Mostly a falling list of levels; legs need not meet, so that a reference that steps to one level and goes on from
/// another can be imitated.
public struct SamplingPlan: Sendable, Hashable, Codable {
  /// The legs.
  public let intervals: [Interval]

  /// From each of `levels` to the next.
  public init(levels: [NoiseLevel]) {
    require(levels.count > 1, "SamplingPlan", "\(levels.count) levels: a step takes two")
    intervals = (1..<levels.count).map {
      Interval(
        from: levels[$0 - 1], to: levels[$0], following: Array(levels[($0 + 1)...]))
    }
  }

  /// The given legs, as they are.
  public init(intervals: [Interval]) { self.intervals = intervals }

  /// Over the levels of falling timesteps of a chain, and then to `end`.
  ///
  /// - Parameter end: where the last step goes: clean data, or the chain's first level (diffusers'
  ///   `set_alpha_to_one: false`).
  public init(timesteps: [Int], of process: DiscreteProcess, end: NoiseLevel = .clean) {
    for (timestep, next) in zip(timesteps, timesteps.dropFirst()) {
      require(timestep > next, "SamplingPlan", "timesteps are to fall: \(timestep), then \(next)")
    }
    require(
      timesteps.allSatisfy { (0..<process.count).contains($0) }, "SamplingPlan",
      "timesteps lie in 0..<\(process.count), got \(timesteps)")
    self.init(levels: timesteps.map { process.levels[$0] } + [end])
  }

  /// The legs of the way back, from the last level to the first: DDIM's inversion goes them.
  public var reversed: SamplingPlan {
    SamplingPlan(levels: [intervals.last?.to ?? .clean] + intervals.reversed().map(\.from))
  }

  /// The level that samples start at.
  public var start: NoiseLevel { intervals.first?.from ?? .clean }
  /// How many steps there are.
  public var count: Int { intervals.count }
}
