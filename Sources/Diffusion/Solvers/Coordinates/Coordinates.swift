import Foundation
import TensorCore

/// Coordinates in which the probability-flow ODE of every linear process is the same equation.
///
/// With `a` for signal and `s` for noise it is linear in the sample but for one slope:
///
/// - `y = x / a` over `r = s / a`: `dy/dr = (y - D) / r`, the noise (Karras et al. 2022, equation 1, with `s(t) = 1`; the
///   noise-prediction form of Lu et al. 2022, arXiv:2206.00927, equation 3.4);
/// - `u = x / s` over `q = a / s`: `du/dq = D`, the data (Lu et al. 2022, arXiv:2211.01095, equation 8), which has a
///   start where no signal is left, `q = 0`.
///
/// `lambda = ln q = -ln r`. Every solver of order two and more is a quadrature of one of the slopes.
public enum Coordinates: String, Sendable, Hashable, Codable, CaseIterable {
  /// `y = x / a` over `r = s / a`.
  case noise
  /// `u = x / s` over `q = a / s`.
  case data

  /// `r` or `q`.
  public func position(of level: NoiseLevel) -> Double {
    self == .noise ? level.noise / level.signal : level.signal / level.noise
  }

  /// `dy/dr` or `du/dq` at a sample, given the estimate for it.
  public func slope(at x: Tensor, _ estimate: Estimate, _ level: NoiseLevel) -> Tensor {
    if self == .data { return estimate.denoised }
    return Tensor.linearCombination([
      (1 / level.noise, x), (-level.signal / level.noise, estimate.denoised),
    ])
  }

  /// The sample at `to` that the slopes, each times its weight, lead to from the sample `x` at `from`:
  /// `y' = y + sum w e` or `u' = u + sum w D`.
  public func moved(
    _ x: Tensor, from: NoiseLevel, to: NoiseLevel, along slopes: [(weight: Double, slope: Tensor)]
  ) -> Tensor {
    let (old, new) = self == .noise ? (from.signal, to.signal) : (from.noise, to.noise)
    var terms = [(new / old, x)]
    for (weight, slope) in slopes { terms.append((new * weight, slope)) }
    return Tensor.linearCombination(terms)
  }
}

extension NoiseLevel {
  /// `ln(signal / noise)`, DPM-Solver's lambda: half of ``logSNR``.
  public var lambda: Double { log(signal / noise) }
}

extension Interval {
  /// Whether lambda is finite at both ends: neither is pure noise or clean data. Solvers whose coefficients are functions
  /// of lambda go over any other leg with order one.
  var hasLambda: Bool { from.signal > 0 && to.noise > 0 && from.noise > 0 && to.signal > 0 }

  /// The step of order one, of every linear process and from and to any level:
  /// `x' = (s' / s) x + (a' - a s' / s) D`, which is DDIM's (Song, Meng and Ermon 2020, equation 12 with no noise) and
  /// Euler's over `r` and over `q`.
  ///
  /// Where the estimate has a direction, noise is read off that one: `x' = a' D + (s' / s) (x - a direction)`.
  func firstOrder(_ x: Tensor, _ estimate: Estimate) -> Tensor {
    if to.noise == 0 {
      return to.signal == 1 ? estimate.denoised : estimate.denoised * to.signal
    }
    let kept = to.noise / from.noise
    var terms = [(kept, x)]
    if let direction = estimate.direction {
      terms += [(to.signal, estimate.denoised), (-kept * from.signal, direction)]
    } else {
      terms.append((to.signal - kept * from.signal, estimate.denoised))
    }
    return Tensor.linearCombination(terms)
  }
}

extension Interval {
  /// The level on the way at a position of the coordinates.
  func level(_ position: Double, in coordinates: Coordinates) -> NoiseLevel {
    level(ratio: coordinates == .noise ? position : 1 / position)
  }

  /// The level after a share of the way in lambda.
  func level(lambdaShare share: Double) -> NoiseLevel {
    level(ratio: exp(-(from.lambda + share * (to.lambda - from.lambda))))
  }
}
