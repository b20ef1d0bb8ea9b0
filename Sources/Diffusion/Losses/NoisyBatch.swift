import TensorCore

/// Data with noise put on it, each sample at a time of its own: what a network is trained on.
public struct NoisyBatch: Sendable {
  /// The data, `[batch, ...]`.
  public let data: Tensor
  /// The noise, of the data's shape.
  public let noise: Tensor
  /// The time of each sample, as the process counts it.
  public let times: [Double]
  /// What each sample's loss is multiplied by to undo how its time was drawn; see ``TimeDistribution``.
  public let importance: [Double]
  /// The level of each sample.
  public let levels: [NoiseLevel]
  /// `signal * data + noise * epsilon`; see ``DenoisingLoss/input(for:)`` for what the network is given.
  public let noisy: Tensor

  /// `data` with `noise` at times of a process: `q(x_t | x_0)`.
  ///
  /// - Parameter importance: 1 everywhere where it is left out.
  public init<P: Process>(
    _ data: Tensor, noise: Tensor, times: [Double], importance: [Double]? = nil, of process: P
  ) {
    require(
      data.shape == noise.shape && data.shape.first == times.count
        && importance?.count ?? times.count == times.count, "NoisyBatch",
      "data \(data.shape), noise \(noise.shape), \(times.count) times: one a sample")
    self.data = data
    self.noise = noise
    self.times = times
    self.importance = importance ?? times.map { _ in 1 }
    levels = times.map { process.level(at: $0) }
    noisy = Tensor.linearCombination(perSample: [
      (levels.map(\.signal), data), (levels.map(\.noise), noise),
    ])
  }

  /// `data` with `noise` at the timesteps of a chain (Ho et al. 2020, equation 4).
  public init(_ data: Tensor, noise: Tensor, timesteps: [Int], of process: DiscreteProcess) {
    require(
      timesteps.allSatisfy { (0..<process.count).contains($0) }, "NoisyBatch",
      "timesteps lie in 0..<\(process.count), got \(timesteps)")
    self.init(data, noise: noise, times: timesteps.map(Double.init), of: process)
  }

  /// The timesteps of a batch at the steps of a chain.
  var timesteps: [Int] { times.map { Int($0) } }
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
