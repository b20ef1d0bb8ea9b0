import TensorCore

/// A denoiser that needs no condition, where a conditional one is asked for.
public struct Unconditional<Base: Denoiser>: ConditionalDenoiser {
  /// The denoiser, asked each time as at the start of a trajectory.
  public let base: Base

  /// `base` with conditions that say nothing.
  public init(_ base: Base) { self.base = base }

  /// The base's estimate.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, given conditions: [NoCondition]
  ) throws(Base.Failure) -> Estimate {
    try base.estimate(x, at: level)
  }
}
