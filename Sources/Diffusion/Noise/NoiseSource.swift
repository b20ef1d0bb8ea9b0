import TensorCore

/// Where the noise of a batch of samples comes from: asked for by sample and interval, so that a sample depends on its own
/// seed and never on the batch that it runs in, on threads or, where the source allows, on the order of calls.
public protocol NoiseSource: Codable, Sendable {
  /// The standard normal noise that samples of `shape` (`[batch, ...]`) start from.
  mutating func initial(_ shape: [Int], dtype: DType) -> Tensor

  /// Standard normal noise for a step from one level to another.
  ///
  /// - Parameters:
  ///   - interval: the step, or a part of it; a Brownian path answers parts of a step consistently with the whole.
  ///   - draw: counts the draws of one step that are to be independent of each other, from 0.
  mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor
}

extension NoiseSource {
  /// Standard normal noise, like `x`, for a step from one level to another.
  public mutating func noise(like x: Tensor, over interval: Interval, draw: Int = 0) -> Tensor {
    noise(x.shape, dtype: x.dtype, over: interval, draw: draw)
  }
}

/// No noise: for solvers that ask for none.
public struct NoNoise: NoiseSource, Hashable {
  /// A source that gives zeros.
  public init() {}

  /// Zeros.
  public mutating func initial(_ shape: [Int], dtype: DType) -> Tensor {
    Tensor.zeros(shape, dtype: dtype)
  }

  /// Zeros.
  public mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    Tensor.zeros(shape, dtype: dtype)
  }
}
