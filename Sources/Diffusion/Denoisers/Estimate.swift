import TensorCore

/// What a denoiser says of a sample.
public struct Estimate: Sendable {
  /// `E[x0 | x]`, of the sample's shape.
  public var denoised: Tensor
  /// The estimate that the noise to go on along is read off, where it is not ``denoised``: noise is then
  /// `(x - signal * direction) / noise`. The unguided estimate in CFG++ (Chung et al. 2024), the one before clipping in
  /// diffusers' DDIM.
  public var direction: Tensor?
  /// The network's word on the variance of the step back, of the sample's shape, where it was trained to give one:
  /// see ``ReverseVariance``.
  public var variance: Tensor?

  /// An estimate.
  public init(denoised: Tensor, direction: Tensor? = nil, variance: Tensor? = nil) {
    self.denoised = denoised
    self.direction = direction
    self.variance = variance
  }

  /// The noise in the sample, `(x - signal D) / noise`, with ``direction`` for D where it is given.
  public func noise(in x: Tensor, at level: NoiseLevel) -> Tensor {
    Tensor.linearCombination([
      (1 / level.noise, x), (-level.signal / level.noise, direction ?? denoised),
    ])
  }

  /// The score `grad log p(x) = (signal D - x) / noise^2` (Tweedie's formula).
  public func score(of x: Tensor, at level: NoiseLevel) -> Tensor {
    let square = level.noise * level.noise
    return Tensor.linearCombination([(level.signal / square, denoised), (-1 / square, x)])
  }

  /// `v = signal * epsilon - noise * x0` (Salimans and Ho 2022, appendix D).
  public func velocity(of x: Tensor, at level: NoiseLevel) -> Tensor {
    Tensor.linearCombination([
      (level.signal / level.noise, x), (-level.totalVariance / level.noise, denoised),
    ])
  }
}
