import Foundation
import TensorCore

/// The variances that the steps of a discrete chain add, beta_0 to beta_{T-1}, in float64.
public enum BetaSchedule: Sendable, Hashable {
  /// Evenly spaced; DDPM's is 1e-4 to 0.02 (Ho et al. 2020, section 4). The latent-diffusion repositories call this
  /// `sqrt_linear`.
  case linear(from: Double, to: Double)
  /// The square of evenly spaced roots; Stable Diffusion's is 0.00085 to 0.012. The latent-diffusion repositories call
  /// this `linear`.
  case scaledLinear(from: Double, to: Double)
  /// `1 - f(t + 1) / f(t)` with `f(t) = cos^2((t / T + offset) / (1 + offset) pi / 2)`, none above `largest`
  /// (Nichol and Dhariwal 2021, equation 17).
  case cosine(offset: Double = 0.008, largest: Double = 0.999)
  /// A logistic curve over -6...6 between two values (GeoDiff).
  case sigmoid(from: Double, to: Double)
  /// A list.
  case explicit([Double])

  /// DDPM's: linear, 1e-4 to 0.02.
  public static let ddpm = linear(from: 1e-4, to: 0.02)
  /// Stable Diffusion's: scaled linear, 0.00085 to 0.012.
  public static let stableDiffusion = scaledLinear(from: 0.00085, to: 0.012)
  /// The first latent diffusion models' (CelebA, class-conditional ImageNet): scaled linear, 0.0015 to 0.0195.
  public static let latentDiffusion = scaledLinear(from: 0.0015, to: 0.0195)
  /// The x4 upscaler's: scaled linear, 1e-4 to 0.02.
  public static let upscaler = scaledLinear(from: 1e-4, to: 0.02)

  /// The `count` betas, each above 0 and below 1 (1 only after a rescaling to no signal at all).
  public func betas(_ count: Int) -> [Double] {
    require(count >= 1, "betas", "a chain of \(count) steps: give 1 or more")
    switch self {
    case .linear(let from, let to):
      return Self.evenly(count, from, to)
    case .scaledLinear(let from, let to):
      return Self.evenly(count, from.squareRoot(), to.squareRoot()).map { $0 * $0 }
    case .cosine(let offset, let largest):
      func remaining(_ step: Int) -> Double {
        let share = (Double(step) / Double(count) + offset) / (1 + offset)
        let root = cos(share * .pi / 2)
        return root * root
      }
      return (0..<count).map { min(1 - remaining($0 + 1) / remaining($0), largest) }
    case .sigmoid(let from, let to):
      return Self.evenly(count, -6, 6).map { from + (to - from) / (1 + exp(-$0)) }
    case .explicit(let list):
      require(list.count == count, "betas", "\(list.count) betas listed for \(count) steps")
      return list
    }
  }

  private static func evenly(_ count: Int, _ from: Double, _ to: Double) -> [Double] {
    (0..<count).map { count == 1 ? from : from + Double($0) * (to - from) / Double(count - 1) }
  }
}
