import Diffusion
import Foundation
import TensorCore

/// Data whose probability-flow ODE can be solved as exactly as float64 allows: what solvers are measured against.
public struct OrderWorld: Sendable {
  /// What it is called in tables.
  public let name: String
  /// The exact denoiser.
  public let denoiser: MixtureDenoiser
  /// Points in `y = x / signal`, `[4, 3]`, where trajectories begin, at the ratio of noise to signal.
  public let start: (y: Tensor, ratio: Double)

  /// One Gaussian.
  public static let gaussian = OrderWorld(
    "gaussian",
    [.init(weight: 1, mean: [0.5, -0.3, 0.1], variance: [0.25, 0.04, 0.64])])

  /// Two Gaussians near enough to each other that paths bend smoothly.
  public static let mixture = OrderWorld(
    "mixture",
    [
      .init(weight: 0.6, mean: [0.6, -0.5, 0.2], variance: [0.09, 0.16, 0.25]),
      .init(weight: 0.4, mean: [-0.7, 0.4, 0], variance: [0.2, 0.1, 0.16]),
    ])

  init(_ name: String, _ components: [MixtureDenoiser.Component]) {
    self.name = name
    denoiser = MixtureDenoiser(components)
    var generator = CounterGenerator(seed: 5, stream: 0)
    let noise = Tensor.randomNormal([4, 3], dtype: .float64, using: &generator)
    start = (noise * 8, 8)
  }

  /// Where the ODE takes `y = x / signal` from one ratio of noise to signal to another: Runge and Kutta's method in the
  /// ratio's logarithm with `steps` steps and with twice as many, extrapolated. Good to 1e-12 from 4000 steps over six
  /// powers of e on; a test compares with the closed form.
  public func flow(_ y: Tensor, from: Double, to: Double, steps: Int = 4000) -> Tensor {
    if from == to { return y }
    let coarse = rungeKutta(y, from, to, steps)
    let fine = rungeKutta(y, from, to, 2 * steps)
    return Tensor.linearCombination([(16.0 / 15, fine), (-1.0 / 15, coarse)])
  }

  private func rungeKutta(_ start: Tensor, _ from: Double, _ to: Double, _ steps: Int) -> Tensor {
    // d y / d ln r = y - D stays bounded where r runs over orders of magnitude.
    func slope(_ y: Tensor, _ logRatio: Double) -> Tensor {
      y - denoiser.estimate(y, at: NoiseLevel(sigma: exp(logRatio))).denoised
    }
    let h = log(to / from) / Double(steps)
    var y = start
    for step in 0..<steps {
      let t = log(from) + Double(step) * h
      let k1 = slope(y, t)
      let k2 = slope(Tensor.linearCombination([(1, y), (h / 2, k1)]), t + h / 2)
      let k3 = slope(Tensor.linearCombination([(1, y), (h / 2, k2)]), t + h / 2)
      let k4 = slope(Tensor.linearCombination([(1, y), (h, k3)]), t + h)
      y = Tensor.linearCombination([
        (1, y), (h / 6, k1), (h / 3, k2), (h / 3, k3), (h / 6, k4),
      ])
    }
    return y
  }
}

/// The families of processes that orders are measured on.
public enum ProcessFamily: String, Sendable, CaseIterable, Codable {
  /// `signal^2 + noise^2 = 1`.
  case variancePreserving = "vp"
  /// `signal = 1`: variance exploding, and EDM.
  case varianceExploding = "ve"
  /// `signal + noise = 1`: rectified flow.
  case flow

  /// The level of a ratio of noise to signal.
  public func level(_ ratio: Double) -> NoiseLevel {
    switch self {
    case .variancePreserving: NoiseLevel(variancePreservingRatio: ratio)
    case .varianceExploding: NoiseLevel(sigma: ratio)
    case .flow: NoiseLevel(signal: 1 / (1 + ratio), noise: ratio / (1 + ratio))
    }
  }
}
