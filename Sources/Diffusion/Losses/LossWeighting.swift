/// What the squared error of a network's output is weighted with, by the level.
public enum LossWeighting: Sendable, Hashable, Codable {
  /// 1: the simple loss of Ho et al. 2020, equation 14, in whatever the network predicts.
  case uniform
  /// Min-SNR (Hang et al. 2023, equation 7): the error in x0 is weighted with `min(SNR, gamma)`, which is
  /// `min(SNR, gamma) / SNR` in epsilon and `min(SNR, gamma) / (SNR + 1)` in v.
  case minSNR(gamma: Double = 5)

  /// The weight of the squared error of a prediction at a level of `process`.
  public func weight<P: Process>(
    at level: NoiseLevel, of parameterization: Parameterization, on process: P
  ) -> Double {
    guard case .minSNR(let gamma) = self else { return 1 }
    let ratio = level.signalToNoise
    let bounded = min(ratio, gamma)
    switch parameterization {
    case .epsilon: return ratio <= gamma ? 1 : gamma / ratio
    case .sample: return bounded
    default:
      // x0 is off by `output` times what the answer is off by.
      let output = parameterization.preconditioning(at: level, of: process).output
      return bounded * output * output
    }
  }
}
