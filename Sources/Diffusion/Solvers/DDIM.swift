import TensorCore

/// The non-Markovian sampler of Song, Meng and Ermon 2020 (DDIM), equation 12, for any linear process:
///
/// `x' = signal' D + sqrt(noise'^2 - deviation^2) epsilon + deviation z`
///
/// with `deviation = eta sqrt(variance of the posterior)`. At `eta = 0` it is deterministic: the one first-order update
/// of the probability-flow ODE, which is Euler's in `noise / signal`. At `eta = 1` it is DDPM's ancestral step.
public struct DDIM: Solver, Hashable, Codable {
  /// How much noise is put in anew: 0 none, 1 as much as DDPM.
  public let eta: Double
  /// 1: Euler's.
  public var order: Int { 1 }

  /// The sampler; `eta` lies in 0...1.
  public init(eta: Double = 0) {
    require((0...1).contains(eta), "DDIM", "eta is \(eta): give 0 to 1")
    self.eta = eta
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let (from, to) = (interval.from, interval.to)
    if eta == 0 || to.noise == 0 { return (interval.firstOrder(x, estimate), estimate.denoised) }
    let deviation = eta * Posterior(at: to, from: from).variance.squareRoot()
    let kept = max(0, (to.noise - deviation) * (to.noise + deviation)).squareRoot() / from.noise
    var terms = [(kept, x)]
    if let direction = estimate.direction {
      terms += [(to.signal, estimate.denoised), (-kept * from.signal, direction)]
    } else {
      terms.append((to.signal - kept * from.signal, estimate.denoised))
    }
    terms.append((deviation, noise.noise(like: x, over: interval)))
    return (Tensor.linearCombination(terms), estimate.denoised)
  }
}
