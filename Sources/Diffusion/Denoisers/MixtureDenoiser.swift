import Foundation
import TensorCore

/// The exact denoiser of a mixture of Gaussians with diagonal covariances: data for which every answer is known.
///
/// At a level the density of a sample is `sum_k w_k N(signal m_k, signal^2 v_k + noise^2)`, so that
/// `E[x0 | x] = sum_k p(k | x) (m_k + signal v_k (x - signal m_k) / (signal^2 v_k + noise^2))`.
public struct MixtureDenoiser: Denoiser, Hashable, Codable {
  /// One Gaussian of the mixture.
  public struct Component: Sendable, Hashable, Codable {
    /// Its share; all shares add up to 1.
    public let weight: Double
    /// Its mean, one number a dimension.
    public let mean: [Double]
    /// Its variances, one a dimension; none below 0.
    public let variance: [Double]

    /// A Gaussian of the mixture.
    public init(weight: Double, mean: [Double], variance: [Double]) {
      self.weight = weight
      self.mean = mean
      self.variance = variance
    }
  }

  /// The Gaussians.
  public let components: [Component]

  /// The denoiser of a mixture.
  public init(_ components: [Component]) {
    let dimension = components.first?.mean.count ?? 0
    require(
      dimension > 0
        && components.allSatisfy { $0.mean.count == dimension && $0.variance.count == dimension },
      "MixtureDenoiser", "give components, each with as many means and variances as dimensions")
    self.components = components
  }

  /// How many numbers a point has.
  public var dimension: Int { components[0].mean.count }

  /// The exact estimate for points of shape `[batch, dimension]`, computed in float64.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout NoMemory
  ) -> Estimate {
    require(
      x.count % dimension == 0, "MixtureDenoiser",
      "points \(x.shape) for a mixture in \(dimension) dimensions")
    var values = x.doubles
    for start in stride(from: 0, to: values.count, by: dimension) {
      denoise(&values, start, level)
    }
    return Estimate(denoised: Tensor(values, shape: x.shape).converted(to: x.dtype))
  }

  /// The logarithm of the density of points `[batch, dimension]` at a level.
  public func logDensity(_ x: Tensor, at level: NoiseLevel = .clean) -> [Double] {
    let values = x.doubles
    return stride(from: 0, to: values.count, by: dimension).map { start in
      let logs = components.map { logDensity(of: $0, values, start, level) }
      let largest = logs.max() ?? 0
      return largest + log(logs.reduce(0) { $0 + exp($1 - largest) })
    }
  }

  /// Independent points of the mixture at a level, `[count, dimension]` in float64.
  public func sample(
    _ count: Int, at level: NoiseLevel = .clean, using generator: inout some RandomGenerator
  ) -> Tensor {
    let choices = Tensor.randomUniform([count], dtype: .float64, using: &generator).doubles
    let normals = Tensor.randomNormal([count, dimension], dtype: .float64, using: &generator)
      .doubles
    let points = (0..<count * dimension).map { index -> Double in
      let (point, i) = (index / dimension, index % dimension)
      let component = component(at: choices[point])
      let deviation = deviation(of: component, i, level)
      return level.signal * component.mean[i] + deviation * normals[index]
    }
    return Tensor(points, shape: [count, dimension])
  }

  /// The mean and the covariance `[dimension][dimension]` of samples at a level.
  public func moments(at level: NoiseLevel = .clean) -> (mean: [Double], covariance: [[Double]]) {
    let axes = 0..<dimension
    let mean = axes.map { i in
      components.reduce(0) { $0 + $1.weight * level.signal * $1.mean[i] }
    }
    let covariance = axes.map { i in
      axes.map { j in
        components.reduce(0) { sum, component in
          let own = i == j ? pow(deviation(of: component, i, level), 2) : 0
          let a = level.signal * component.mean[i] - mean[i]
          let b = level.signal * component.mean[j] - mean[j]
          return sum + component.weight * (own + a * b)
        }
      }
    }
    return (mean, covariance)
  }
}

extension MixtureDenoiser {
  private func deviation(of component: Component, _ i: Int, _ level: NoiseLevel) -> Double {
    (level.signal * level.signal * component.variance[i] + level.noise * level.noise).squareRoot()
  }

  private func component(at choice: Double) -> Component {
    var left = choice
    for component in components {
      left -= component.weight
      if left < 0 { return component }
    }
    return components[components.count - 1]
  }

  private func logDensity(
    of component: Component, _ x: [Double], _ start: Int, _ level: NoiseLevel
  ) -> Double {
    var sum = log(component.weight)
    for i in 0..<dimension {
      let deviation = deviation(of: component, i, level)
      let centered = (x[start + i] - level.signal * component.mean[i]) / deviation
      sum -= 0.5 * (centered * centered + log(2 * .pi)) + log(deviation)
    }
    return sum
  }

  private func denoise(_ x: inout [Double], _ start: Int, _ level: NoiseLevel) {
    let logs = components.map { logDensity(of: $0, x, start, level) }
    let largest = logs.max() ?? 0
    let shares = logs.map { exp($0 - largest) }
    let total = shares.reduce(0, +)
    for i in 0..<dimension {
      var mean = 0.0
      for (component, share) in zip(components, shares) {
        let deviation = deviation(of: component, i, level)
        let gain = level.signal * component.variance[i] / (deviation * deviation)
        let centered = x[start + i] - level.signal * component.mean[i]
        mean += share / total * (component.mean[i] + gain * centered)
      }
      x[start + i] = mean
    }
  }
}
