import Foundation
import TensorCore

/// The variance of the step back, `p(x_s | x_t)`.
public enum ReverseVariance: String, Sendable, Hashable, Codable, CaseIterable {
  /// The posterior's, right where the data is a point (Ho et al. 2020, section 3.2).
  case fixedSmall = "fixed_small"
  /// The forward step's beta, right where the data is N(0, I).
  case fixedLarge = "fixed_large"
  /// Between the two, `exp(v ln(large) + (1 - v) ln(small))` with `v = (answer + 1) / 2` from the network (Nichol and
  /// Dhariwal 2021, equation 15).
  case learnedRange = "learned_range"
  /// The network's answer is the variance itself, as diffusers' `learned` reads it.
  case learned

  /// Whether the network has to answer with twice the channels.
  public var isLearned: Bool { self == .learnedRange || self == .learned }
}

extension Posterior {
  /// The two logarithms that a learned variance lies between; the posterior's where it is 0 is `floor`'s.
  ///
  /// - Parameter floor: the least variance whose logarithm is taken.
  package func logVarianceRange(floor: Double) -> (small: Double, large: Double) {
    (log(max(variance, floor)), log(max(transitionVariance, floor)))
  }
}
