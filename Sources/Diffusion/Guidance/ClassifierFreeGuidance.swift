import TensorCore

/// Classifier-free guidance (Ho and Salimans 2022): away from the unconditional estimate, or that of a negative condition,
/// through the conditional one and beyond, as a ``GuidanceRule`` says.
///
/// The conditional and the unconditional half run as one batch. Where the rule does not act (scale 1, outside of its
/// interval) only the conditional half runs.
public struct ClassifierFreeGuidance<Base: ConditionalDenoiser>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// What to look for, one for each sample.
  public let conditions: [Base.Condition]
  /// What to be led away from, one for each sample: the empty condition, or a negative one.
  public let negatives: [Base.Condition]
  /// How the two halves are combined.
  public let rule: GuidanceRule

  /// `base` guided towards `conditions` and away from `negatives`.
  public init(
    _ base: Base, towards conditions: [Base.Condition], awayFrom negatives: [Base.Condition],
    rule: GuidanceRule
  ) {
    require(
      conditions.count == negatives.count, "guidance",
      "\(conditions.count) conditions and \(negatives.count) negative ones: give as many")
    self.base = base
    self.conditions = conditions
    self.negatives = negatives
    self.rule = rule
  }

  /// `base` guided towards `conditions` and away from `negatives`, by the plain rule.
  public init(
    _ base: Base, towards conditions: [Base.Condition], awayFrom negatives: [Base.Condition],
    scale: Double
  ) {
    self.init(
      base, towards: conditions, awayFrom: negatives, rule: GuidanceRule(scale: scale))
  }

  /// Nothing yet.
  public func start() -> GuidanceMemory { GuidanceMemory() }

  /// With the conditions of those samples.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(
      base, towards: Array(conditions[samples]), awayFrom: Array(negatives[samples]), rule: rule)
  }

  /// The guided estimate for a batch, all of it at one level; the variance is the conditional half's.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout GuidanceMemory
  ) throws(Base.Failure) -> Estimate {
    require(
      x.shape[0] == conditions.count, "guidance",
      "\(conditions.count) conditions for a batch of \(x.shape[0])")
    guard rule.isActive(at: level) else {
      return try base.estimate(x, at: level, given: conditions)
    }
    let both = try base.estimate(
      Tensor.concatenated([x, x], axis: 0), at: level, given: conditions + negatives)
    let halves = both.denoised.split(axis: 0, into: 2)
    let strong = Estimate(
      denoised: halves[0], variance: both.variance.map { $0.split(axis: 0, into: 2)[0] })
    return rule.combined(strong: strong, weak: halves[1], of: x, at: level, memory: &memory)
  }
}
