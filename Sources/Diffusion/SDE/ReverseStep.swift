import Foundation
import TensorCore

/// A leg of the reverse SDE with `eta` times the theory's squared noise, solved exactly where the estimate is held:
///
/// `x' = (s'/s) q^eta x + a' (1 - q^(1 + eta)) D + s' sqrt(1 - q^(2 eta)) z`, `q = (s'/a') / (s/a) = exp(-h)`.
///
/// It is the solution of `dx = [f x - (1 + eta) / 2 g^2 score] dt + sqrt(eta) g dW`, whose marginals are those of the
/// forward process for every eta (Xue et al. 2023, arXiv:2309.05019, equations 6 and 14): 0 the probability-flow ODE,
/// 1 the reverse SDE.
struct ReverseStep {
  /// The sample's factor.
  let sample: Double
  /// The end's signal: what the integrals over the estimate are multiplied by.
  let signal: Double
  /// The noise's factor.
  let deviation: Double
  /// `h`, the step in `ln(signal / noise)`; infinite from pure noise or to clean data.
  let width: Double
  /// `(1 + eta) h`: the width over which the estimate's share decays.
  let decay: Double

  init(_ interval: Interval, eta: Double) {
    let (from, to) = (interval.from, interval.to)
    let q = to.ratio / from.ratio
    width = -log(q)
    decay = (1 + eta) * width
    sample = to.noise / from.noise * (eta == 0 ? 1 : pow(q, eta))
    signal = to.signal
    deviation = eta == 0 ? 0 : to.noise * (-expm1(-2 * eta * width)).squareRoot()
  }

  /// `1 - exp(-decay)`: the integral of a constant estimate.
  var constant: Double { -expm1(-decay) }
  /// `1 - (1 - exp(-H)) / H = H phi_2(-H)`: that of one that grows by 1 over the leg.
  var linear: Double { decay.isFinite ? decay * Quadrature.phi(2, -decay) : 1 }
  /// `linear / H - 1 / 2 = -H phi_3(-H)`: minus half of what one that grows as the square adds.
  var square: Double { decay.isFinite ? -decay * Quadrature.phi(3, -decay) : -0.5 }
}
