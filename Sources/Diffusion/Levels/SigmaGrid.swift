import Foundation
import TensorCore

/// How levels of noise are laid out between a largest and a smallest, by the ratio of noise to signal (by the noise itself
/// for a rectified flow), whatever the timesteps are.
public enum SigmaGrid: Sendable, Hashable, Codable {
  /// Evenly in `sigma^(1 / rho)` (Karras et al. 2022, equation 5): steps grow shorter towards data as `rho` grows.
  case karras(rho: Double = 7)
  /// Evenly in the logarithm, which is evenly in logSNR.
  case exponential
  /// Evenly in the `rho`-th root of the logarithm's distance from the smallest (k-diffusion).
  case polyexponential(rho: Double = 1)
  /// Evenly.
  case linear
  /// Evenly in the arc tangent (Sabour et al. 2024, equation 15): the least error where the data is a Gaussian.
  case arcTangent
  /// At the quantiles of a beta distribution between the ends, as diffusers' `use_beta_sigmas` has it.
  case beta(BetaDistribution = BetaDistribution(0.6, 0.6))

  /// `count` falling numbers from `largest` to `smallest`, both taken; the largest alone where `count` is 1.
  public func sigmas(_ count: Int, from largest: Double, to smallest: Double) -> [Double] {
    require(count >= 1, "sigmas", "\(count) levels: ask for 1 or more")
    require(
      largest.isFinite && smallest >= 0 && smallest <= largest, "sigmas",
      "levels from \(largest) to \(smallest): they are to be finite and to fall")
    // No power or logarithm is to move the ends.
    return (0..<count).map { index in
      if index == 0 { return largest }
      if index == count - 1 { return smallest }
      return sigma(Double(index) / Double(count - 1), largest, smallest)
    }
  }

  /// The level at a share of the way to the smallest.
  private func sigma(_ share: Double, _ largest: Double, _ smallest: Double) -> Double {
    switch self {
    case .karras(let rho):
      let (first, last) = (pow(largest, 1 / rho), pow(smallest, 1 / rho))
      return pow(first + share * (last - first), rho)
    case .exponential: return largest * pow(smallest / largest, share)
    case .polyexponential(let rho):
      return smallest * pow(largest / smallest, pow(1 - share, rho))
    case .linear: return largest + share * (smallest - largest)
    case .arcTangent:
      let (first, last) = (atan(largest), atan(smallest))
      return tan(first + share * (last - first))
    case .beta(let distribution):
      return smallest + distribution.quantile(1 - share) * (largest - smallest)
    }
  }
}
