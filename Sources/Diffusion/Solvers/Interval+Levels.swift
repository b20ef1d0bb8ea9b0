import Foundation

extension Interval {
  /// The level on the way whose noise is `ratio` times its signal: on the same curve where both ends are
  /// variance-preserving, have one signal (variance-exploding) or lie on the straight line of rectified flow; elsewhere
  /// the signal's logarithm is interpolated in that of the ratio.
  func level(ratio: Double) -> NoiseLevel {
    func both(_ condition: (NoiseLevel) -> Bool) -> Bool { condition(from) && condition(to) }
    if abs(from.signal - to.signal) <= 1e-12 * to.signal {
      return NoiseLevel(signal: to.signal, noise: to.signal * ratio)
    }
    if both(\.isVariancePreserving) { return NoiseLevel(variancePreservingRatio: ratio) }
    if both(\.isRectified) {
      return NoiseLevel(signal: 1 / (1 + ratio), noise: ratio / (1 + ratio))
    }
    let share = log(ratio / from.ratio) / log(to.ratio / from.ratio)
    let signal = from.signal * pow(to.signal / from.signal, share)
    return NoiseLevel(signal: signal, noise: signal * ratio)
  }
}

extension NoiseLevel {
  /// Whether `signal^2 + noise^2 = 1`, as far as tables in float32 keep it.
  var isVariancePreserving: Bool { abs(totalVariance - 1) < 1e-6 }
  /// Whether `signal + noise = 1`: a level of rectified flow.
  var isRectified: Bool { abs(signal + noise - 1) < 1e-6 }
}
