import Foundation
import TensorCore

/// Data whose exact denoiser is known: a mixture of Gaussians with diagonal covariances, in float64.
///
/// At a level `(signal, noise)` the density of a sample is `sum_k w_k N(signal m_k, signal^2 v_k + noise^2)`.
public struct GaussianWorld: Sendable {
  /// One Gaussian of the mixture.
  public struct Component: Sendable {
    /// Its share.
    public let weight: Double
    /// Its mean, one number a dimension.
    public let mean: [Double]
    /// Its variances, one a dimension.
    public let variance: [Double]
  }

  /// The Gaussians.
  public let components: [Component]

  /// A mixture of Gaussians.
  public init(components: [Component]) { self.components = components }

  /// One Gaussian.
  public init(mean: [Double], variance: [Double]) {
    components = [Component(weight: 1, mean: mean, variance: variance)]
  }

  /// Three dimensions of different width about different means.
  public static let gaussian = GaussianWorld(
    mean: [0.5, -0.3, 0.1], variance: [0.25, 0.04, 0.64])

  /// Two Gaussians in three dimensions, near enough to each other that paths bend smoothly.
  public static let mixture = GaussianWorld(components: [
    Component(weight: 0.6, mean: [0.6, -0.5, 0.2], variance: [0.09, 0.16, 0.25]),
    Component(weight: 0.4, mean: [-0.7, 0.4, 0], variance: [0.2, 0.1, 0.16]),
  ])

  /// How many numbers a point has.
  public var dimension: Int { components[0].mean.count }

  /// `E[x0 | x]` for points `x` of shape `[batch, dimension]`.
  public func denoised(_ x: Tensor, signal: Double, noise: Double) -> Tensor {
    let values = x.doubles
    let result = stride(from: 0, to: values.count, by: dimension).flatMap { start in
      denoised(Array(values[start..<start + dimension]), signal, noise)
    }
    return Tensor(result, shape: x.shape).converted(to: x.dtype)
  }

  private func denoised(_ x: [Double], _ signal: Double, _ noise: Double) -> [Double] {
    let logs = components.map { logDensity($0, x, signal, noise) }
    let largest = logs.max() ?? 0
    let shares = logs.map { exp($0 - largest) }
    let total = shares.reduce(0, +)
    return x.indices.map { i in
      zip(components, shares).reduce(0) { sum, pair in
        let (component, share) = pair
        let variance = signal * signal * component.variance[i] + noise * noise
        let gain = signal * component.variance[i] / variance
        let centered = x[i] - signal * component.mean[i]
        return sum + share / total * (component.mean[i] + gain * centered)
      }
    }
  }

  private func logDensity(
    _ component: Component, _ x: [Double], _ signal: Double, _ noise: Double
  ) -> Double {
    x.indices.reduce(log(component.weight)) { sum, i in
      let variance = signal * signal * component.variance[i] + noise * noise
      let centered = x[i] - signal * component.mean[i]
      return sum - 0.5 * (centered * centered / variance + log(2 * .pi * variance))
    }
  }

  /// The logarithm of the density of points `[batch, dimension]` at a level.
  public func logDensity(_ x: Tensor, signal: Double, noise: Double) -> [Double] {
    let values = x.doubles
    return stride(from: 0, to: values.count, by: dimension).map { start in
      let point = Array(values[start..<start + dimension])
      let logs = components.map { logDensity($0, point, signal, noise) }
      let largest = logs.max() ?? 0
      return largest + log(logs.reduce(0) { $0 + exp($1 - largest) })
    }
  }

  /// Where the probability-flow ODE takes points from one level to another: in closed form for one Gaussian, by
  /// Runge-Kutta of order 4 over `steps` steps in the logarithm of the ratio of noise to signal for a mixture.
  public func flow(
    _ x: Tensor, from: (signal: Double, noise: Double), to: (signal: Double, noise: Double),
    steps: Int = 4000
  ) -> Tensor {
    if components.count == 1 { return exactFlow(x, from, to) }
    // y = x / signal, d y / d ln r = y - D, whose coordinates stay bounded where r runs over orders of magnitude.
    func slope(_ y: [Double], _ logRatio: Double) -> [Double] {
      let estimate = denoised(Tensor(y, shape: x.shape), signal: 1, noise: exp(logRatio)).doubles
      return zip(y, estimate).map { $0 - $1 }
    }
    let (first, last) = (log(from.noise / from.signal), log(to.noise / to.signal))
    let h = (last - first) / Double(steps)
    var y = x.doubles.map { $0 / from.signal }
    func moved(_ k: [Double], _ share: Double) -> [Double] { zip(y, k).map { $0 + h * share * $1 } }
    for step in 0..<steps {
      let t = first + Double(step) * h
      let k1 = slope(y, t)
      let k2 = slope(moved(k1, 0.5), t + h / 2)
      let k3 = slope(moved(k2, 0.5), t + h / 2)
      let k4 = slope(moved(k3, 1), t + h)
      y = y.indices.map { y[$0] + h / 6 * (k1[$0] + 2 * k2[$0] + 2 * k3[$0] + k4[$0]) }
    }
    return Tensor(y.map { $0 * to.signal }, shape: x.shape)
  }

  private func exactFlow(
    _ x: Tensor, _ from: (signal: Double, noise: Double), _ to: (signal: Double, noise: Double)
  ) -> Tensor {
    let only = components[0]
    func deviation(_ level: (signal: Double, noise: Double), _ i: Int) -> Double {
      (level.signal * level.signal * only.variance[i] + level.noise * level.noise).squareRoot()
    }
    let result = x.doubles.enumerated().map { index, value in
      let i = index % dimension
      let centered = value - from.signal * only.mean[i]
      return to.signal * only.mean[i] + centered * deviation(to, i) / deviation(from, i)
    }
    return Tensor(result, shape: x.shape)
  }
}
