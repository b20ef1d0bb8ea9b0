import TensorCore

/// DDIM run backwards (Song, Meng and Ermon 2020, section 4.3 and equation 14): from data towards the noise that DDIM makes
/// it of.
///
/// The exact reverse of DDIM's step needs the noise at the level that the leg goes to, for a sample that is not known yet.
/// It is read off the sample at hand, with the level that the leg goes to, as diffusers' `DDIMInverseScheduler` does, or
/// with the sample's own. The first leg starts from clean data, where no noise can be read off: there it is always the
/// former.
public struct DDIMInversion: Solver, Hashable, Codable {
  /// Whether the denoiser is told the sample's own level.
  public let asksAtOwnLevel: Bool
  /// What clean data is bounded to, read off at the level that is left (diffusers' `clip_sample`); such a step cannot be
  /// undone. `nil` leaves it as it is.
  public let bound: Threshold?
  /// 1.
  public var order: Int { 1 }

  /// The solver.
  public init(asksAtOwnLevel: Bool = false, bound: Threshold? = nil) {
    self.asksAtOwnLevel = asksAtOwnLevel
    self.bound = bound
  }

  /// One step towards noise with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (from, to) = (interval.from, interval.to)
    if asksAtOwnLevel, from.noise > 0 {
      let estimate = try denoiser(x, at: from)
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    // x' = a' (x - s e) / a + s' e, with e = (x - a' D) / s'.
    let estimate = try denoiser(x, at: to)
    if let bound {
      let noise = estimate.noise(in: x, at: to)
      let data = bound.applied(
        to: Tensor.linearCombination([
          (1 / from.signal, x), (-from.noise / from.signal, noise),
        ]))
      return (Tensor.linearCombination([(to.signal, data), (to.noise, noise)]), data)
    }
    let scale = to.signal / from.signal
    let step = to.noise - from.noise * scale
    let moved = Tensor.linearCombination([
      (scale + step / to.noise, x),
      (-step * to.signal / to.noise, estimate.direction ?? estimate.denoised),
    ])
    return (moved, estimate.denoised)
  }
}
