import Foundation
import TensorCore

/// Euler and Maruyama's step of the reverse SDE `dx = [f x - g^2 score] dt + g dW` (Song et al. 2021, arXiv:2011.13456,
/// equation 6):
///
/// `x' = (1 - F) x + G score + sqrt(G) z`, with `F = integral f dt` and `G = integral g^2 dt` over the leg.
///
/// The integrals are in closed form: `F = ln(a / a')`, and from `d(s^2) = 2 f s^2 dt + g^2 dt`
/// `G = s^2 - s'^2 - 2 integral s^2 d ln a`. For variance-preserving levels `G = -2 F`, for variance-exploding ones
/// `s^2 - s'^2`, for rectified flow `2 (s' - s) - 2 F`; elsewhere the last integral is the trapezium's.
public struct EulerMaruyama: Solver, Hashable, Codable {
  /// 1.
  public var order: Int { 1 }

  /// The sampler.
  public init() {}

  /// One step with one evaluation. On the way to clean data no noise is added; from pure noise, where f is infinite, the
  /// step is the exact solution with the estimate held.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (from, to) = (interval.from, interval.to)
    let denoised = try denoiser(x, at: from).denoised
    if from.signal == 0 {
      let step = ReverseStep(interval, eta: 1)
      var terms = [(step.signal, denoised)]
      if to.noise > 0 { terms.append((to.noise, noise.noise(like: x, over: interval))) }
      return (combined(terms), denoised)
    }
    let growth = log(to.signal / from.signal)
    let variance = Self.squaredDiffusion(interval)
    return (
      reversed(
        x, denoised, from, kept: 1 + growth, variance: variance,
        noise: to.noise > 0 ? noise.noise(like: x, over: interval) : nil), denoised
    )
  }

  /// The integral of g squared over a leg towards data.
  static func squaredDiffusion(_ interval: Interval) -> Double {
    let (from, to) = (interval.from, interval.to)
    let growth = log(to.signal / from.signal)
    if abs(growth) < 1e-12 { return (from.noise - to.noise) * (from.noise + to.noise) }
    if from.isVariancePreserving, to.isVariancePreserving { return 2 * growth }
    if from.isRectified, to.isRectified { return 2 * (to.noise - from.noise + growth) }
    let (s, t) = (from.noise * from.noise, to.noise * to.noise)
    return s - t + growth * (s + t)
  }
}

/// The reverse-diffusion predictor (Song et al. 2021, appendix E, equations 45 to 47): the forward chain's own step
/// `x_t = c x_s + sqrt(v) z` turned round, `x' = (2 - c) x + v score + sqrt(v) z`.
public struct ReverseDiffusion: Solver, Hashable, Codable {
  /// 1.
  public var order: Int { 1 }

  /// The predictor.
  public init() {}

  /// One step with one evaluation; no noise on the way to clean data. From pure noise it is Euler and Maruyama's.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (from, to) = (interval.from, interval.to)
    if from.signal == 0 {
      return try EulerMaruyama().step(
        x, over: interval, with: &denoiser, noise: &noise, memory: &memory)
    }
    let denoised = try denoiser(x, at: from).denoised
    let forward = Transition(from: to, to: from)
    return (
      reversed(
        x, denoised, from, kept: 2 - forward.scale, variance: forward.variance,
        noise: to.noise > 0 ? noise.noise(like: x, over: interval) : nil), denoised
    )
  }
}

/// `kept x + variance score + sqrt(variance) z`, the score written with the estimate.
private func reversed(
  _ x: Tensor, _ denoised: Tensor, _ from: NoiseLevel, kept: Double, variance: Double,
  noise: Tensor?
) -> Tensor {
  let share = variance / (from.noise * from.noise)
  var terms = [(kept - share, x), (share * from.signal, denoised)]
  if let noise { terms.append((variance.squareRoot(), noise)) }
  return combined(terms)
}
