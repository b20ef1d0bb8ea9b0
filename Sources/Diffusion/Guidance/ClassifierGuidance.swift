import TensorCore

/// Guidance by the gradient of a classifier (Dhariwal and Nichol 2021, section 4; Song et al. 2021, equation 14): the score
/// of `p(x | y)` is that of `p(x)` plus `grad log p(y | x)`, so with a scale
///
/// `D' = D + scale (noise^2 / signal) grad log p(y | x)`.
///
/// The authors' two forms follow. Their noise for DDIM (algorithm 2), `epsilon - noise grad`, is that of `D'`. Their shift
/// of the ancestral mean (algorithm 1), `variance grad`, is that of `D'`, `beta / sqrt(1 - beta) grad`, up to
/// terms of second order in the step.
///
/// At a level without signal the classifier sees nothing: the gradient there is 0, and the estimate is the base's.
public struct ClassifierGuidance<Base: Denoiser>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// 1 is Bayes' rule; more looks for what the classifier is surer of.
  public let scale: Double
  /// `log p(y | x)` of each sample at a level: `[batch]` of `[batch, ...]`, by operations that a tape records; each entry a
  /// function of its own sample alone. Which `y` is meant is the closure's to know.
  public let logProbability: @Sendable (Tensor, NoiseLevel) -> Tensor

  /// `base` guided by a classifier of noisy samples.
  public init(
    _ base: Base, scale: Double = 1,
    logProbability: @escaping @Sendable (Tensor, NoiseLevel) -> Tensor
  ) {
    self.base = base
    self.scale = scale
    self.logProbability = logProbability
  }

  /// The base for those samples; the classifier is shown them alone, so it has to mean the same `y` by any of them.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(base.narrowed(to: samples), scale: scale, logProbability: logProbability)
  }

  /// The base's memory.
  public func start() -> Base.Memory { base.start() }

  /// The guided estimate for a batch, all of it at one level. A direction that the base names is shifted alike.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Base.Memory
  ) throws(Base.Failure) -> Estimate {
    var estimate = try base.estimate(x, at: level, memory: &memory)
    if level.signal == 0 || scale == 0 { return estimate }
    let tape = Tape()
    let watched = tape.watch(x)
    let logs = logProbability(watched, level)
    require(
      logs.shape == [x.shape[0]], "classifier guidance",
      "log p(y | x) has shape \(logs.shape) for a batch \(x.shape): give one number a sample")
    let gradient = tape.gradients(of: logs.sum(), withRespectTo: [watched])[0]
    let factor = scale * level.noise * level.noise / level.signal
    func shifted(_ denoised: Tensor) -> Tensor {
      Tensor.linearCombination([(1, denoised), (factor, gradient)])
    }
    estimate.denoised = shifted(estimate.denoised)
    estimate.direction = estimate.direction.map(shifted)
    return estimate
  }
}
