import TensorCore

/// A denoiser that knows what its answer is measured as: `D' = D + A+ (y - A D)`, so that every estimate, and the sample at
/// the end, is measured as `y`. Solvers stay as they are.
///
/// This is replacement (Song et al. 2021, section 5 and appendix I.4; for a mask Lugmayr et al. 2022, equation 8, and
/// as a range and null space decomposition Wang et al. 2022, section 3.1): with `A D' = y` at every level a step moves the
/// measured part of the sample as the forward process has it given `y`. That part does not look at the rest, and the rest
/// sees it through its noise only, so what is painted may not fit; ``SamplingPlan/resampled(every:times:)`` lets them
/// meet.
public struct Measured<Base: Denoiser, M: LinearMeasurement>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// What is measured.
  public let measurement: M
  /// What was measured, `[batch, ...]`.
  public let y: Tensor

  /// `base` held to what is known.
  public init(_ base: Base, by measurement: M, as y: Tensor) {
    self.base = base
    self.measurement = measurement
    self.y = y
  }

  /// Held to what is known of those samples.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(base.narrowed(to: samples), by: measurement, as: y.sliced(axis: 0, samples))
  }

  /// The base's memory.
  public func start() -> Base.Memory { base.start() }

  /// The corrected estimate for a batch, all of it at one level. A direction that the base names is corrected alike.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Base.Memory
  ) throws(Base.Failure) -> Estimate {
    var estimate = try base.estimate(x, at: level, memory: &memory)
    estimate.denoised = measurement.corrected(estimate.denoised, to: y)
    estimate.direction = estimate.direction.map { measurement.corrected($0, to: y) }
    return estimate
  }
}

/// Guidance by the gradient of a measurement's likelihood, through the denoiser: `p(y | x) ~ N(y; A D(x), variance)`,
///
/// `D' = D + scale (noise^2 / signal) grad_x log p(y | x)`.
///
/// With the measurement's own variance it is diffusion posterior sampling (Chung et al. 2022, theorem 1); with the
/// variance of what is not known yet added, and rows of A that are orthonormal (a mask), pseudo-inverse guidance (Song et
/// al. 2023, section 3), which is exact where the data given the sample is an isotropic Gaussian.
///
/// At a level without signal the estimate is the base's.
public struct MeasurementGuidance<Base: Denoiser, M: LinearMeasurement>: Denoiser {
  /// The denoiser, differentiable.
  public let base: Base
  /// What is measured.
  public let measurement: M
  /// What was measured, `[batch, ...]`.
  public let y: Tensor
  /// 1 is Bayes' rule.
  public let scale: Double
  /// The variance of an element of `y - A D` at a level.
  public let variance: @Sendable (NoiseLevel) -> Double

  /// `base` guided towards what was measured.
  ///
  /// - Parameter variance: by default that of what is not known yet, for data of unit variance:
  ///   `noise^2 / (signal^2 + noise^2)`.
  public init(
    _ base: Base, by measurement: M, as y: Tensor, scale: Double = 1,
    variance: @escaping @Sendable (NoiseLevel) -> Double = {
      $0.noise * $0.noise / $0.totalVariance
    }
  ) {
    self.base = base
    self.measurement = measurement
    self.y = y
    self.scale = scale
    self.variance = variance
  }

  /// The base's memory.
  public func start() -> Base.Memory { base.start() }

  /// The guided estimate for a batch, all of it at one level. A direction that the base names is shifted alike.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Base.Memory
  ) throws(Base.Failure) -> Estimate {
    if level.signal == 0 { return try base.estimate(x, at: level, memory: &memory) }
    let tape = Tape()
    let watched = tape.watch(x)
    let found = try base.estimate(watched, at: level, memory: &memory)
    let measured = measurement(found.denoised)
    require(
      measured.origin != nil && measured.shape == y.shape, "measurement guidance",
      "the estimate is measured as \(measured.shape), y is \(y.shape): they are to be alike, and "
        + "the denoiser is to compute by tensor operations without detaching")
    let residual = y - measured
    let square = residual.innerProducts(residual).sum()
    let gradient = tape.gradients(of: square, withRespectTo: [watched])[0]
    let factor = -0.5 * scale * level.noise * level.noise / (level.signal * variance(level))
    func shifted(_ denoised: Tensor) -> Tensor {
      Tensor.linearCombination([(1, denoised.detached), (factor, gradient)])
    }
    return Estimate(
      denoised: shifted(found.denoised), direction: found.direction.map(shifted),
      variance: found.variance?.detached)
  }
}
