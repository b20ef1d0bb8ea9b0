import TensorCore

/// How estimates are kept to the range that data has, -1 to 1.
public enum Threshold: Sendable, Hashable, Codable {
  /// Every element is clamped to `-limit...limit`.
  case clamped(to: Double = 1)
  /// Dynamic thresholding (Saharia et al. 2022, section 2.3): each sample is clamped to `-s...s` and divided by `s`,
  /// its own quantile of absolute values, but not below 1 nor above `largest`.
  case dynamic(quantile: Double = 0.995, largest: Double = .greatestFiniteMagnitude)

  /// The estimate within the range.
  public func applied(to denoised: Tensor) -> Tensor {
    switch self {
    case .clamped(let limit): return denoised.clamped(-limit, limit)
    case .dynamic(let quantile, let largest):
      if denoised.count == 0 { return denoised }
      let samples = denoised.split(axis: 0, into: denoised.shape[0]).map { sample in
        let bound = min(max(Self.quantile(quantile, of: sample), 1), largest)
        return bound == 1 ? sample.clamped(-1, 1) : sample.clamped(-bound, bound) / bound
      }
      return samples.count == 1 ? samples[0] : Tensor.concatenated(samples, axis: 0)
    }
  }

  /// The quantile of absolute values, linear between neighbours as `torch.quantile` has it.
  static func quantile(_ share: Double, of sample: Tensor) -> Double {
    let sorted = sample.doubles.map(abs).sorted()
    let place = share * Double(sorted.count - 1)
    let low = Int(place.rounded(.down))
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
  }
}

/// A denoiser whose estimates are kept to the range that data has.
public struct Thresholded<Base: Denoiser>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// The range; `nil` leaves estimates as they are.
  public let threshold: Threshold?
  /// Whether the noise is read off the estimate before it was bounded, as diffusers' DDIM has it, or off the bounded
  /// one (guided-diffusion; diffusers' `use_clipped_model_output`). A direction that the base names itself stays one, bounded
  /// in the latter case.
  public let keepsDirection: Bool

  /// `base` with its estimates bounded.
  public init(_ base: Base, _ threshold: Threshold?, keepsDirection: Bool = true) {
    self.base = base
    self.threshold = threshold
    self.keepsDirection = keepsDirection
  }

  /// The base for those samples, bounded alike.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(base.narrowed(to: samples), threshold, keepsDirection: keepsDirection)
  }

  /// The base's memory.
  public func start() -> Base.Memory { base.start() }

  /// The bounded estimate for a batch, all of it at one level.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Base.Memory
  ) throws(Base.Failure) -> Estimate {
    var estimate = try base.estimate(x, at: level, memory: &memory)
    guard let threshold else { return estimate }
    let raw = estimate.denoised
    estimate.denoised = threshold.applied(to: raw)
    if keepsDirection, estimate.direction == nil { estimate.direction = raw }
    if !keepsDirection { estimate.direction = estimate.direction.map(threshold.applied) }
    return estimate
  }
}
