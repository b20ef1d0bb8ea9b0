/// One leg of a trajectory: from a level to the next, and what comes after.
public struct Interval: Sendable, Hashable, Codable {
  /// The level that the sample is at.
  public let from: NoiseLevel
  /// The level that it goes to.
  public let to: NoiseLevel
  /// The levels after ``to``, to the end: some solvers lower their order near it.
  public let following: [NoiseLevel]

  /// The leg between two levels, with those that follow.
  public init(from: NoiseLevel, to: NoiseLevel, following: [NoiseLevel] = []) {
    self.from = from
    self.to = to
    self.following = following
  }

  /// Whether no step comes after this one.
  public var isLast: Bool { following.isEmpty }
}
