/// One leg of a trajectory: from a level to the next, and what comes after.
public struct Interval: Sendable, Hashable, Codable {
  /// The level that the sample is at.
  public let from: NoiseLevel
  /// The level that it goes to.
  public let to: NoiseLevel
  /// The levels after ``to``, to the end: some solvers lower their order near it.
  public let following: [NoiseLevel]
  /// How the leg is gone.
  public let kind: Kind
  /// How often a trajectory went between these levels before (Restart, RePaint): noise is drawn anew each time.
  public let visit: Int

  /// Who makes the step of a leg.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// The solver, asking the denoiser; towards data as a rule, towards noise in DDIM's inversion.
    case solved
    /// The forward process: noise is added as ``Transition`` says and the denoiser is not asked (Restart, RePaint).
    case renoised
  }

  /// The leg between two levels, with those that follow.
  public init(
    from: NoiseLevel, to: NoiseLevel, following: [NoiseLevel] = [], kind: Kind = .solved,
    visit: Int = 0
  ) {
    self.from = from
    self.to = to
    self.following = following
    self.kind = kind
    self.visit = visit
  }

  /// Whether no step comes after this one.
  public var isLast: Bool { following.isEmpty }
}
