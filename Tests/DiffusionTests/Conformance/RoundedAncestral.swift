import Diffusion
import TensorCore

/// The ancestral step with its coefficients in float32, in the order of operations of diffusers' DDPM and UnCLIP.
struct RoundedAncestral: Solver {
  /// The beta of the step from a level, where the reference takes it from its table.
  var betas: [NoiseLevel: Double] = [:]
  var order: Int { 1 }

  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let denoised = try denoiser(x, at: interval.from).denoised
    func squaredSignal(_ level: NoiseLevel) -> Float { Float(level.signal * level.signal) }
    let (now, next) = (squaredSignal(interval.from), squaredSignal(interval.to))
    let listed = betas[interval.from].map { Float($0) }
    let beta = listed ?? 1 - now / next
    let kept = listed.map { 1 - $0 } ?? now / next
    let dataWeight = next.squareRoot() * beta / (1 - now)
    let sampleWeight = kept.squareRoot() * (1 - next) / (1 - now)
    let variance = (1 - next) / (1 - now) * beta
    var terms = [(Double(dataWeight), denoised), (Double(sampleWeight), x)]
    if interval.to.noise > 0 {
      terms.append((Double(variance.squareRoot()), noise.noise(like: x, over: interval)))
    }
    return (Tensor.linearCombination(terms), denoised)
  }
}
