import Diffusion
import Foundation
import TensorCore
import TestSupport

/// The exact denoiser of a Gaussian of any covariance, by tensor operations: what a network would be.
struct GaussianDenoiser: Denoiser {
  let mean: Tensor
  /// The covariance's eigenvectors in columns, and its eigenvalues.
  let axes: Tensor
  let variances: [Double]

  /// A covariance of full rank whose axes are not the coordinates'.
  init(dimension: Int, seed: UInt64 = 1) throws {
    let root = Sample.uniform([dimension, dimension], seed: seed)
    let covariance = root.matmul(root, transposeB: true) * (1 / Double(dimension)) + 0.02
    let eigen = try (covariance + Tensor.identity(dimension, dtype: .float64) * 0.05)
      .symmetricEigen()
    axes = eigen.vectors
    variances = eigen.values.doubles
    mean = Sample.uniform([dimension], seed: seed + 1)
  }

  func estimate(_ x: Tensor, at level: NoiseLevel, memory: inout NoMemory) -> Estimate {
    let gains = variances.map { v in
      level.signal * v / (level.signal * level.signal * v + level.noise * level.noise)
    }
    let centered = (x - mean * level.signal).matmul(axes)
    return Estimate(
      denoised: (centered * Tensor(gains)).matmul(axes, transposeB: true) + mean)
  }

  /// The log density of points `[batch, dimension]` at `start` of the model that starts at noise of `end`'s total
  /// variance: along each axis the flow is `x - a m` times the ratio of the marginals' deviations.
  func logDensity(_ x: Tensor, start: NoiseLevel, end: NoiseLevel) -> [Double] {
    let count = variances.count
    let (points, means) = (x.matmul(axes).doubles, mean.reshaped([1, count]).matmul(axes).doubles)
    func deviation(_ level: NoiseLevel, _ i: Int) -> Double {
      (level.signal * level.signal * variances[i] + level.noise * level.noise).squareRoot()
    }
    return (0..<x.shape[0]).map { row in
      (0..<count).reduce(0) { sum, i in
        let factor = deviation(end, i) / deviation(start, i)
        let arrived =
          (points[row * count + i] - start.signal * means[i]) * factor + end.signal * means[i]
        return sum + log(factor)
          - 0.5 * (arrived * arrived / end.totalVariance + log(2 * .pi * end.totalVariance))
      }
    }
  }
}

/// The exact denoiser of a mixture of diagonal Gaussians, by tensor operations.
struct DifferentiableMixture: Denoiser {
  let world: GaussianWorld

  func estimate(_ x: Tensor, at level: NoiseLevel, memory: inout NoMemory) -> Estimate {
    let (a, s) = (level.signal, level.noise)
    var (logs, means): ([Tensor], [Tensor]) = ([], [])
    for component in world.components {
      let variance = component.variance.map { a * a * $0 + s * s }
      func row(_ values: [Double]) -> Tensor { Tensor(values).converted(to: x.dtype) }
      let centered = x - row(component.mean.map { a * $0 })
      let constant = log(component.weight) - 0.5 * variance.map { log($0) }.reduce(0, +)
      logs.append(
        (centered * centered / row(variance)).sum(axes: [1], keepingDimensions: true) * -0.5
          + constant)
      let gains = zip(component.variance, variance).map { a * $0 / $1 }
      means.append(centered * row(gains) + row(component.mean))
    }
    let shares = Tensor.concatenated(logs, axis: 1).softmax(axis: 1)
    let parts = means.enumerated().map { index, mean in
      mean * shares.sliced(axis: 1, index..<(index + 1))
    }
    return Estimate(denoised: parts.dropFirst().reduce(parts[0]) { $0 + $1 })
  }
}
