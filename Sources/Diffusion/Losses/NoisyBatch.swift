import TensorCore

/// Data with noise put on it, each sample at a timestep of its own: what a network is trained on.
public struct NoisyBatch: Sendable {
  /// The data, `[batch, ...]`.
  public let data: Tensor
  /// The noise, of the data's shape.
  public let noise: Tensor
  /// The timestep of each sample.
  public let timesteps: [Int]
  /// The level of each sample.
  public let levels: [NoiseLevel]
  /// `signal * data + noise * epsilon`; see ``DenoisingLoss/input(for:)`` for what the network is given.
  public let noisy: Tensor

  /// `data` with `noise` at the timesteps of a chain: `q(x_t | x_0)` (Ho et al. 2020, equation 4).
  public init(_ data: Tensor, noise: Tensor, timesteps: [Int], of process: DiscreteProcess) {
    require(
      data.shape == noise.shape && data.shape.first == timesteps.count, "NoisyBatch",
      "data \(data.shape), noise \(noise.shape), \(timesteps.count) timesteps: one a sample")
    require(
      timesteps.allSatisfy { (0..<process.count).contains($0) }, "NoisyBatch",
      "timesteps lie in 0..<\(process.count), got \(timesteps)")
    self.data = data
    self.noise = noise
    self.timesteps = timesteps
    levels = timesteps.map { process.levels[$0] }
    noisy = Tensor.linearCombination(perSample: [
      (levels.map(\.signal), data), (levels.map(\.noise), noise),
    ])
  }
}

extension Tensor {
  /// The mean over all axes but the first: one number a sample.
  func meanOverSample() -> Tensor {
    rank < 2 ? self : mean(axes: Array(1..<rank))
  }

  /// One number a sample, shaped to broadcast over `[batch, ...]` of `rank` axes.
  static func perSample(_ values: [Double], rank: Int, dtype: DType) -> Tensor {
    let shape = [values.count] + [Int](repeating: 1, count: rank - 1)
    let tensor = Tensor(values, shape: shape)
    return tensor.converted(to: dtype)
  }
}
