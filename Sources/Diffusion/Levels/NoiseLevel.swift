import Foundation

/// Where between data and noise a sample is: `x = signal * x0 + noise * epsilon` with `epsilon ~ N(0, I)`.
///
/// The papers write the two numbers as sqrt(alpha-bar) and sqrt(1 - alpha-bar) (DDPM), alpha and sigma (DPM-Solver), or
/// s and s sigma (EDM); `Documentation/notation.md` maps them.
public struct NoiseLevel: Sendable, Hashable, Codable {
  /// What the data is multiplied by; 0 where nothing of it is left.
  public let signal: Double
  /// The noise's standard deviation; 0 for clean data.
  public let noise: Double

  /// The level with the given two numbers, neither negative and not both zero.
  public init(signal: Double, noise: Double) {
    self.signal = signal
    self.noise = noise
  }

  /// The variance-preserving level whose squared signal is `squaredSignal` (DDPM's alpha-bar): `signal^2 + noise^2 = 1`.
  public init(squaredSignal: Double) {
    self.init(signal: squaredSignal.squareRoot(), noise: (1 - squaredSignal).squareRoot())
  }

  /// The variance-preserving level with `noise / signal = ratio`.
  public init(variancePreservingRatio ratio: Double) {
    let norm = hypot(1, ratio)
    self = ratio.isFinite ? Self(signal: 1 / norm, noise: ratio / norm) : .pureNoise
  }

  /// The variance-exploding level of standard deviation `sigma`: the signal stays 1.
  public init(sigma: Double) { self.init(signal: 1, noise: sigma) }

  /// Data without noise.
  public static let clean = NoiseLevel(signal: 1, noise: 0)
  /// Noise without data.
  public static let pureNoise = NoiseLevel(signal: 0, noise: 1)

  /// `noise / signal`: EDM's sigma; infinite where no signal is left.
  public var ratio: Double { noise / signal }
  /// `signal^2 / noise^2`; infinite for clean data.
  public var signalToNoise: Double { (signal / noise) * (signal / noise) }
  /// The logarithm of ``signalToNoise``, 2 lambda in DPM-Solver's letters.
  public var logSNR: Double { 2 * (log(signal) - log(noise)) }
  /// `signal^2 + noise^2`: a sample's variance where the data's is 1.
  public var totalVariance: Double { signal * signal + noise * noise }
}

extension NoiseLevel: CustomStringConvertible {
  /// Both numbers.
  public var description: String { "signal \(signal), noise \(noise)" }
}
