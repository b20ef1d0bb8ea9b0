import TensorCore

/// The forward kernel between two levels of a linear process, `q(x_t | x_s) = N(scale x_s, variance I)`.
///
/// For one step of a DDPM chain the scale is sqrt(1 - beta) and the variance beta (Ho et al. 2020, equation 2); between
/// the levels of a strided few it gives the respaced betas of Nichol and Dhariwal 2021, equation 19.
public struct Transition: Sendable, Hashable {
  /// What the cleaner sample is multiplied by.
  public let scale: Double
  /// The variance of the noise that is added, per element.
  public let variance: Double

  /// The kernel from `cleaner` to `noisier`, which has no less noise for its signal.
  public init(from cleaner: NoiseLevel, to noisier: NoiseLevel) {
    require(
      noisier.ratio >= cleaner.ratio, "Transition",
      "noise is only added on the way from \(cleaner) to \(noisier): swap them")
    scale = noisier.signal / cleaner.signal
    let kept = scale * cleaner.noise
    variance = max(0, (noisier.noise - kept) * (noisier.noise + kept))
  }
}

/// The Gaussian `q(x_s | x_t, x_0)` of the cleaner sample given the noisier and the data.
///
/// Mean `sampleWeight x_t + dataWeight x_0`; Ho et al. 2020, equations 6 and 7, for any two levels of any linear process.
public struct Posterior: Sendable, Hashable {
  /// The noisier sample's share of the mean.
  public let sampleWeight: Double
  /// The data's share of the mean.
  public let dataWeight: Double
  /// The variance, per element; 0 where the cleaner level is clean.
  public let variance: Double
  /// The variance of the step forward between the two, which bounds this one from above (DDPM's beta).
  public let transitionVariance: Double

  /// The posterior at `cleaner` of a sample at `noisier`, whose noise is not 0.
  public init(at cleaner: NoiseLevel, from noisier: NoiseLevel) {
    let transition = Transition(from: cleaner, to: noisier)
    let total = noisier.noise * noisier.noise
    let cleanerVariance = cleaner.noise * cleaner.noise
    sampleWeight = transition.scale * cleanerVariance / total
    dataWeight = cleaner.signal * transition.variance / total
    variance = cleanerVariance * transition.variance / total
    transitionVariance = transition.variance
  }
}
