/// A linear way from data to noise, `dx = drift(t) x dt + sqrt(squaredDiffusion(t)) dW` (Song et al. 2021, equation 5,
/// with `f(x, t)` linear in x).
///
/// Time is what the process counts in: a fractional timestep of a discrete chain, the unit interval of an SDE.
public protocol Process: Sendable {
  /// The times between which levels are defined; noise grows with time.
  var times: ClosedRange<Double> { get }
  /// The level at a time, of the marginal `q(x_t | x_0)`.
  func level(at time: Double) -> NoiseLevel
  /// The time whose level has the ratio of noise to signal that `level` has.
  func time(of level: NoiseLevel) -> Double
  /// `f(t)`: the rate at which the signal's logarithm changes, `d ln(signal) / dt`.
  func drift(at time: Double) -> Double
  /// `g(t)^2 = 2 noise^2 d ln(noise / signal) / dt`.
  func squaredDiffusion(at time: Double) -> Double
}
