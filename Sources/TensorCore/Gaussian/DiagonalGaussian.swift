/// Independent normal distributions, one an element: `N(mean, e^logVariance)`.
///
/// The first axis is the batch: densities, entropies and divergences are sums over the other axes, `[batch]`, in
/// nats. Everything is differentiable in mean, log variance and what is evaluated.
public struct DiagonalGaussian: Sendable {
  /// `[batch, ...]`.
  public let mean: Tensor
  /// The logarithm of the variance, of the mean's shape.
  public let logVariance: Tensor

  /// The bounds that latent diffusion's autoencoder puts on a predicted log variance (Rombach et al. 2022, its code).
  public static let autoencoderBounds = -30.0...20.0

  /// A distribution from its parameters, broadcast to one shape.
  ///
  /// - Parameter bounds: what to clamp the log variance to; as it is where left out.
  public init(mean: Tensor, logVariance: Tensor, clampedTo bounds: ClosedRange<Double>? = nil) {
    require(
      mean.dtype == logVariance.dtype, "DiagonalGaussian",
      "the mean is \(mean.dtype), the log variance \(logVariance.dtype): convert one")
    guard let shape = Broadcast([mean.shape, logVariance.shape])?.shape, !shape.isEmpty else {
      misuse(
        "DiagonalGaussian",
        "mean \(mean.shape) and log variance \(logVariance.shape) must be [batch, ...] and broadcast"
      )
    }
    let variance =
      bounds.map { logVariance.clamped($0.lowerBound, $0.upperBound) } ?? logVariance
    self.mean = mean.broadcasted(to: shape)
    self.logVariance = variance.broadcasted(to: shape)
  }

  /// A distribution from what an encoder predicts: mean and log variance one after the other along `axis`.
  public init(moments: Tensor, axis: Int = -1, clampedTo bounds: ClosedRange<Double>? = nil) {
    let parts = moments.split(axis: axis, into: 2)
    self.init(mean: parts[0], logVariance: parts[1], clampedTo: bounds)
  }

  /// `N(0, 1)` everywhere.
  public static func standard(_ shape: [Int], dtype: DType = .float32) -> DiagonalGaussian {
    DiagonalGaussian(
      mean: .zeros(shape, dtype: dtype), logVariance: .zeros(shape, dtype: dtype))
  }

  /// The standard deviation, `e^(logVariance / 2)`.
  public var deviation: Tensor { (logVariance * 0.5).exp() }

  /// The variance.
  public var variance: Tensor { logVariance.exp() }

  /// The most likely value: the mean.
  public var mode: Tensor { mean }

  /// `mean + deviation * noise`, for standard normal noise of the mean's shape (Kingma and Welling 2013, section 2.4).
  public func sample(noise: Tensor) -> Tensor {
    require(
      noise.shape == mean.shape, "sample", "noise \(noise.shape) must be of shape \(mean.shape)")
    return mean + deviation * noise
  }

  /// A sample with noise from `generator`.
  public func sample<Generator: RandomGenerator>(using generator: inout Generator) -> Tensor {
    sample(noise: .randomNormal(mean.shape, dtype: mean.dtype, using: &generator))
  }
}

extension DiagonalGaussian {
  private static let logOfTwoPi = 1.8378770664093454835606594728112

  /// Elements a sample has.
  private var length: Double { Double(mean.shape.dropFirst().reduce(1, *)) }

  /// `log p(x)`, `[batch]`: `-(n log 2 pi + sum of logVariance + |x - mean|^2 / variance) / 2`.
  public func logDensity(_ x: Tensor) -> Tensor {
    let distance = (x - mean) * (logVariance * -0.5).exp()
    let squares = distance.innerProducts(distance)
    return (squares + logVariance.sumOfSamples()).scaled(
      by: -0.5, plus: -0.5 * length * Self.logOfTwoPi)
  }

  /// `-E[log p]`, `[batch]`: `(n (1 + log 2 pi) + sum of logVariance) / 2`.
  public var entropy: Tensor {
    logVariance.sumOfSamples().scaled(by: 0.5, plus: 0.5 * length * (1 + Self.logOfTwoPi))
  }

  /// The divergence `KL(self || other) = E[log self - log other]` under `self`, `[batch]`; 0 where they are equal.
  public func divergence(to other: DiagonalGaussian) -> Tensor {
    let ratio = logVariance - other.logVariance
    let distance = (mean - other.mean) * (other.logVariance * -0.5).exp()
    return ((ratio.exp() - 1 - ratio).sumOfSamples() + distance.innerProducts(distance)) * 0.5
  }

  /// The divergence to `N(0, 1)`, `[batch]` (Kingma and Welling 2013, appendix B).
  public var divergenceToStandard: Tensor {
    ((variance - 1 - logVariance).sumOfSamples() + mean.innerProducts(mean)) * 0.5
  }

  /// The product of the two densities, which is a Gaussian times a number: precisions add up, means are weighted by
  /// them.
  ///
  /// - Returns: the Gaussian, and the logarithm of the number, `[batch]`: the density of the one mean under a Gaussian
  ///   about the other with the sum of the variances.
  public func product(with other: DiagonalGaussian) -> (
    gaussian: DiagonalGaussian, logFactor: Tensor
  ) {
    // With d = log(v1 / v2): v = v1 / (1 + v1 / v2), and the second mean's weight is v1 / (v1 + v2).
    let ratio = logVariance - other.logVariance
    let gaussian = DiagonalGaussian(
      mean: mean + ratio.sigmoid() * (other.mean - mean),
      logVariance: logVariance - ratio.softplus())
    let sum = DiagonalGaussian(
      mean: other.mean, logVariance: logVariance + (-ratio).softplus())
    return (gaussian, sum.logDensity(mean))
  }

  /// What is known of an unknown with this prior after `observation` of it under Gaussian noise of
  /// `logVariance`: the normalised product of prior and likelihood.
  public func posterior(observing observation: Tensor, logVariance: Tensor) -> DiagonalGaussian {
    product(with: DiagonalGaussian(mean: observation, logVariance: logVariance)).gaussian
  }
}
