import TensorCore

/// Classifier-free guidance (Ho and Salimans 2022): `D = D_u + scale (D_c - D_u)`, the same in epsilon, v and score.
///
/// The conditional and the unconditional half run as one batch. At scale 1 only the conditional half runs.
public struct ClassifierFreeGuidance<Base: ConditionalDenoiser>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// What to look for, one for each sample.
  public let conditions: [Base.Condition]
  /// What to be led away from, one for each sample: the empty condition, or a negative one.
  public let negatives: [Base.Condition]
  /// How far to go: 0 is unconditional, 1 conditional, more goes beyond. (Ho and Salimans count from 0: their w is
  /// `scale - 1`.)
  public let scale: Double

  /// `base` guided towards `conditions` and away from `negatives`.
  public init(
    _ base: Base, towards conditions: [Base.Condition], awayFrom negatives: [Base.Condition],
    scale: Double
  ) {
    require(
      conditions.count == negatives.count, "guidance",
      "\(conditions.count) conditions and \(negatives.count) negative ones: give as many")
    self.base = base
    self.conditions = conditions
    self.negatives = negatives
    self.scale = scale
  }

  /// The guided estimate for a batch, all of it at one level; the variance is the conditional half's.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout NoMemory
  ) throws(Base.Failure) -> Estimate {
    require(
      x.shape[0] == conditions.count, "guidance",
      "\(conditions.count) conditions for a batch of \(x.shape[0])")
    if scale == 1 { return try base.estimate(x, at: level, given: conditions) }
    let both = try base.estimate(
      Tensor.concatenated([x, x], axis: 0), at: level, given: conditions + negatives)
    let halves = both.denoised.split(axis: 0, into: 2)
    let guided = Tensor.linearCombination([(scale, halves[0]), (1 - scale, halves[1])])
    return Estimate(
      denoised: guided, variance: both.variance.map { $0.split(axis: 0, into: 2)[0] })
  }
}
