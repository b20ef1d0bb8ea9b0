import Foundation

/// What the squared error of a network's output is weighted with, by the level.
public enum LossWeighting: Sendable, Hashable, Codable {
  /// 1: the simple loss of Ho et al. 2020, equation 14, in whatever the network predicts.
  case uniform
  /// Min-SNR (Hang et al. 2023, equation 7): the error in x0 is weighted with `min(SNR, gamma)`, which is
  /// `min(SNR, gamma) / SNR` in epsilon and `min(SNR, gamma) / (SNR + 1)` in v.
  case minSNR(gamma: Double = 5)
  /// The error in the score is weighted with `noise^power` (Song and Ermon 2019, equation 6). Power 2, theirs, makes all levels
  /// weigh about the same and is 1 in epsilon.
  case score(power: Double = 2)
  /// The error in the score is weighted with `g(t)^2`, the squared diffusion: with times drawn evenly, half the sum over
  /// elements bounds the negative log-likelihood up to a constant (Song, Durkan, Murray and Ermon 2021, theorem 1).
  case likelihood
  /// The error in the data is weighted with `(sigma^2 + d^2) / (sigma d)^2`, d the data's deviation (Karras et al. 2022,
  /// table 1): 1 in the output of a network with EDM's preconditioning.
  case edm(dataDeviation: Double = 0.5)

  /// The weight of the squared error of a prediction at a level of `process`.
  public func weight<P: Process>(
    at level: NoiseLevel, of parameterization: Parameterization, on process: P
  ) -> Double {
    // The data is off by this times what the answer is off by, and the score by `signal / noise^2` times that.
    func data() -> Double {
      parameterization.preconditioning(at: level, of: process).output
    }
    func score() -> Double { level.signal / (level.noise * level.noise) * data() }
    switch self {
    case .uniform: return 1
    case .minSNR(let gamma):
      let ratio = level.signalToNoise
      let bounded = min(ratio, gamma)
      switch parameterization {
      case .epsilon: return ratio <= gamma ? 1 : gamma / ratio
      case .sample: return bounded
      default: return bounded * data() * data()
      }
    case .score(let power): return pow(level.noise, power) * score() * score()
    case .likelihood:
      return process.squaredDiffusion(at: process.time(of: level)) * score() * score()
    case .edm(let deviation):
      let (ratio, product) = (level.ratio, level.ratio * deviation)
      let weight = (ratio * ratio + deviation * deviation) / (product * product)
      return weight * data() * data()
    }
  }
}
