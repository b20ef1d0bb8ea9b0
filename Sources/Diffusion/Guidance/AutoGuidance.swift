import TensorCore

/// Guidance of a model by a worse version of itself, smaller or less trained, on the same condition (Karras et al. 2024,
/// "Guiding a Diffusion Model with a Bad Version of Itself", equation 4): quality without the loss of variety.
///
/// Where the rule does not act the weak model is not asked.
public struct AutoGuidance<Strong: Denoiser, Weak: Denoiser>: Denoiser
where Weak.Failure == Strong.Failure {
  /// The model.
  public let strong: Strong
  /// The worse one.
  public let weak: Weak
  /// How the two estimates are combined.
  public let rule: GuidanceRule

  /// `strong` led away from `weak`.
  public init(_ strong: Strong, awayFrom weak: Weak, rule: GuidanceRule) {
    self.strong = strong
    self.weak = weak
    self.rule = rule
  }

  /// What the two models and the rule carry from one evaluation to the next.
  public struct Memory: Codable, Sendable {
    fileprivate var strong: Strong.Memory
    fileprivate var weak: Weak.Memory
    fileprivate var rule: GuidanceMemory
  }

  /// Both models for those samples.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(strong.narrowed(to: samples), awayFrom: weak.narrowed(to: samples), rule: rule)
  }

  /// The models' own memories and nothing yet for the rule.
  public func start() -> Memory {
    Memory(strong: strong.start(), weak: weak.start(), rule: GuidanceMemory())
  }

  /// The guided estimate for a batch, all of it at one level; the variance is the strong model's.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Memory
  ) throws(Strong.Failure) -> Estimate {
    let best = try strong.estimate(x, at: level, memory: &memory.strong)
    guard rule.isActive(at: level) else { return best }
    let worse = try weak.estimate(x, at: level, memory: &memory.weak)
    return rule.combined(
      strong: best, weak: worse.denoised, of: x, at: level, memory: &memory.rule)
  }
}
