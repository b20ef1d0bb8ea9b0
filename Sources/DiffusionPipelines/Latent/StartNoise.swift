import Diffusion
import Foundation
import TensorCore

extension TextRequest {
  /// The generators of some of the pictures.
  func noise(of range: Range<Int>) -> SeededNoise {
    SeededNoise(pictures.generator, seeds: range.map(seed(of:)))
  }

  /// The noise that some of the pictures start from: the next draw of each generator, with that of other seeds mixed in where
  /// the request says so.
  func startNoise(
    _ shape: [Int], of range: Range<Int>, drawnFrom noise: inout SeededNoise
  ) -> Tensor {
    let own = noise.initial(shape, dtype: .float32)
    func other(_ seeds: [UInt64]) -> Tensor {
      var generators = SeededNoise(pictures.generator, seeds: seeds)
      return generators.initial(shape, dtype: .float32)
    }
    if let variation {
      // AUTOMATIC1111's web UI takes every column of a latent for a vector.
      let noise = other(range.map { variation.seed &+ UInt64($0) })
      return own.sphericallyInterpolated(
        to: noise, shares: range.map { _ in variation.strength }, axes: [1])
    }
    if let seed = ending?.seed {
      return own.sphericallyInterpolated(
        to: other(range.map { _ in seed }), shares: range.map(progress(of:)), axes: [1, 2, 3])
    }
    return own
  }
}

extension Tensor {
  /// Spherical interpolation (Shoemake 1985) of vectors that lie along `axes`, after the first axis, with a share a sample:
  /// `(sin((1 - t) w) a + sin(t w) b) / sin w` with the angle `w` between `a` and `b`. Of two vectors of the same normal
  /// distribution the result has, in high dimensions, the same length again. Where they are all but parallel it is the
  /// linear interpolation.
  func sphericallyInterpolated(to other: Tensor, shares: [Double], axes: [Int]) -> Tensor {
    func sum(_ x: Tensor) -> Tensor { x.sum(axes: axes, keepingDimensions: true) }
    let lengths = (sum(self * self) * sum(other * other)).sqrt()
    let cosines = sum(self * other) / lengths
    let perSample = cosines.count / cosines.shape[0]
    var (first, second) = (cosines.doubles, cosines.doubles)
    for (index, cosine) in cosines.doubles.enumerated() {
      let share = shares[index / perSample]
      let angle = Foundation.acos(Swift.max(-1, Swift.min(1, cosine)))
      let isParallel = abs(cosine) > 0.9995
      first[index] =
        isParallel ? 1 - share : Foundation.sin((1 - share) * angle) / Foundation.sin(angle)
      second[index] =
        isParallel ? share : Foundation.sin(share * angle) / Foundation.sin(angle)
    }
    func weights(_ values: [Double]) -> Tensor {
      Tensor(values, shape: cosines.shape).converted(to: dtype)
    }
    return self * weights(first) + other * weights(second)
  }
}
