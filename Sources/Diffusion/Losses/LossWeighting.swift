/// What the squared error of a network's output is weighted with, by the level.
public enum LossWeighting: Sendable, Hashable, Codable {
  /// 1: the simple loss of Ho et al. 2020, equation 14, in whatever the network predicts.
  case uniform
  /// Min-SNR (Hang et al. 2023, equation 7): the error in x0 is weighted with `min(SNR, gamma)`, which is
  /// `min(SNR, gamma) / SNR` in epsilon and `min(SNR, gamma) / (SNR + 1)` in v.
  case minSNR(gamma: Double = 5)

  /// The weight of the squared error of a prediction.
  public func weight(at level: NoiseLevel, of parameterization: Parameterization) -> Double {
    guard case .minSNR(let gamma) = self else { return 1 }
    let ratio = level.signalToNoise
    let bounded = min(ratio, gamma)
    return switch parameterization {
    case .epsilon: ratio <= gamma ? 1 : gamma / ratio
    case .sample: bounded
    case .velocity: bounded / (ratio + 1)
    }
  }
}
