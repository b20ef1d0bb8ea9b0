import Foundation

/// A linear way from data to noise, `dx = drift(t) x dt + sqrt(squaredDiffusion(t)) dW` (Song et al. 2021, equation 5,
/// with `f(x, t)` linear in x).
///
/// Time is what the process counts in: a fractional timestep of a discrete chain, the unit interval of an SDE.
public protocol Process: Sendable {
  /// The times between which levels are defined; noise grows with time.
  var times: ClosedRange<Double> { get }
  /// The times that samples are drawn between: networks were trained there, and nothing grows without bound.
  var samplingTimes: ClosedRange<Double> { get }
  /// The level at a time, of the marginal `q(x_t | x_0)`.
  func level(at time: Double) -> NoiseLevel
  /// The time whose level has the ratio of noise to signal that `level` has, whatever its scaling; the last time for
  /// noise without signal.
  func time(of level: NoiseLevel) -> Double
  /// `f(t)`: the rate at which the signal's logarithm changes, `d ln(signal) / dt`.
  func drift(at time: Double) -> Double
  /// `g(t)^2 = 2 noise^2 d ln(noise / signal) / dt`.
  func squaredDiffusion(at time: Double) -> Double
  /// The process's own level with the ratio of noise to signal that `level` has: networks know no other scaling.
  func ownLevel(of level: NoiseLevel) -> NoiseLevel
  /// What grids of levels count a level by: the ratio of noise to signal, or the noise alone for a rectified flow.
  func sigma(of level: NoiseLevel) -> Double
  /// The process's own level that grids count as `sigma`.
  func level(ofSigma sigma: Double) -> NoiseLevel
  /// What networks that were trained on the process are told of a time; the time itself for a discrete chain.
  func timestep(at time: Double) -> Double
  /// The time of which networks are told `timestep`.
  func time(ofTimestep timestep: Double) -> Double
}

extension Process {
  /// All times.
  public var samplingTimes: ClosedRange<Double> { times }
  /// The ratio of noise to signal.
  public func sigma(of level: NoiseLevel) -> Double { level.ratio }
  /// The process's own level of the ratio.
  public func level(ofSigma sigma: Double) -> NoiseLevel {
    sigma.isFinite ? ownLevel(of: NoiseLevel(sigma: sigma)) : .pureNoise
  }
  /// The level at the level's own time.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel { self.level(at: time(of: level)) }
  /// The time itself.
  public func timestep(at time: Double) -> Double { time }
  /// The timestep itself.
  public func time(ofTimestep timestep: Double) -> Double { timestep }

  /// What networks are told of a level.
  public func timestep(of level: NoiseLevel) -> Double { timestep(at: time(of: level)) }

  /// `noise / signal` at a time (EDM's sigma).
  public func ratio(at time: Double) -> Double { level(at: time).ratio }
  /// The time at which `noise / signal` is `ratio`.
  public func time(ofRatio ratio: Double) -> Double {
    time(of: ratio.isFinite ? NoiseLevel(sigma: ratio) : .pureNoise)
  }
  /// The logarithm of the ratio of signal to noise, both squared, at a time.
  public func logSNR(at time: Double) -> Double { level(at: time).logSNR }
  /// The time at which the logarithm of the ratio of signal to noise, both squared, is `logSNR`.
  public func time(ofLogSNR logSNR: Double) -> Double { time(ofRatio: exp(-logSNR / 2)) }

  /// `q(x_t | x_s)` for the times `s` of the cleaner and `t` of the noisier sample.
  public func transition(from cleaner: Double, to noisier: Double) -> Transition {
    Transition(from: level(at: cleaner), to: level(at: noisier))
  }
  /// `q(x_s | x_t, x_0)` for the times `s` of the cleaner and `t` of the noisier sample.
  public func posterior(at cleaner: Double, from noisier: Double) -> Posterior {
    Posterior(at: level(at: cleaner), from: level(at: noisier))
  }
}
