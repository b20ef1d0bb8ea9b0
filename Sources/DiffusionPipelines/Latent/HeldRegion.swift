import Diffusion
import TensorCore

/// A solver that paints only where a mask says so: after every step what lies elsewhere is set to the known latent with the noise
/// of the level that was reached (Lugmayr et al. 2022, equation 8; the noise is one draw for the whole run, as in
/// diffusers' inpainting by networks without a channel for the mask).
struct HeldRegion<Base: Solver>: Solver {
  let base: Base
  /// 1 where is painted, `[1, height, width, 1]`.
  let painted: Tensor
  /// What is known, `[batch, height, width, channels]`.
  let latent: Tensor
  /// The noise that the run started from.
  let noise: Tensor
  /// The levels that legs of a plan go on from, where that is not where they ended.
  let resumed: [Interval: NoiseLevel]

  init(base: Base, painted: Tensor, latent: Tensor, noise: Tensor, plan: SamplingPlan) {
    (self.base, self.painted, self.latent, self.noise) = (base, painted, latent, noise)
    let pairs = zip(plan.intervals, plan.intervals.dropFirst()).filter { $0.to != $1.from }
    resumed = Dictionary(pairs.map { ($0, $1.from) }, uniquingKeysWith: { first, _ in first })
  }

  var order: Int { base.order }
  func start() -> Base.Memory { base.start() }
  func start(after past: [PastStep]) -> Base.Memory { base.start(after: past) }
  func progress(_ memory: Base.Memory) -> Double { base.progress(memory) }

  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Base.Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let made = try base.step(
      x, over: interval, with: &denoiser, noise: &noise, memory: &memory)
    // A solver that chooses its own steps may be on its way still.
    if base.progress(memory) < 1 { return made }
    let level = resumed[interval] ?? interval.to
    let known =
      interval.isLast
      ? latent
      : Tensor.linearCombination([(level.signal, latent), (level.noise, self.noise)])
    return (
      Tensor.selected(where: painted, made.x, else: known),
      Tensor.selected(where: painted, made.denoised, else: latent)
    )
  }
}
