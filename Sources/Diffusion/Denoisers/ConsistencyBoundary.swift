import Foundation
import TensorCore

/// A denoiser made into a consistency function, which leaves the sample as it is where there is no noise:
/// `f(x, t) = skip(t) x + output(t) D(x)` (Luo et al. 2023, arXiv:2310.04378, section 4.1), with
/// `skip = d^2 / (u^2 + d^2)`, `output = u / sqrt(u^2 + d^2)`, `u = timeScale t`.
public struct ConsistencyBoundary<Base: Denoiser, P: Process>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// Gives a level's timestep.
  public let process: P
  /// What timesteps are multiplied by: 10 in latent consistency models. `nil` leaves the base as it is.
  public let timeScale: Double?
  /// The data's standard deviation.
  public let dataDeviation: Double

  /// `base` as a consistency function.
  public init(_ base: Base, process: P, timeScale: Double? = 10, dataDeviation: Double = 0.5) {
    self.base = base
    self.process = process
    self.timeScale = timeScale
    self.dataDeviation = dataDeviation
  }

  /// The base for those samples, made one alike.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(
      base.narrowed(to: samples), process: process, timeScale: timeScale,
      dataDeviation: dataDeviation)
  }

  /// The base's memory.
  public func start() -> Base.Memory { base.start() }

  /// The consistency function of a batch, all of it at one level.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Base.Memory
  ) throws(Base.Failure) -> Estimate {
    var estimate = try base.estimate(x, at: level, memory: &memory)
    guard let timeScale else { return estimate }
    let u = timeScale * process.timestep(of: level)
    let square = u * u + dataDeviation * dataDeviation
    estimate.denoised = Tensor.linearCombination([
      (dataDeviation * dataDeviation / square, x), (u / square.squareRoot(), estimate.denoised),
    ])
    return estimate
  }
}

/// A consistency model's network as a denoiser on variance-exploding levels: EDM's preconditioning moved so that
/// `D(x) = x` at the least noise it was trained on (Song et al. 2023, arXiv:2303.01469, appendix C).
public struct ConsistencyDenoiser<Model: Network>: ConditionalDenoiser {
  /// The network; it is told `1000 ln(sigma) / 4`.
  public let network: Model
  /// The least noise.
  public let least: Double
  /// The data's standard deviation.
  public let dataDeviation: Double

  /// The denoiser of `network`.
  public init(_ network: Model, least: Double = 0.002, dataDeviation: Double = 0.5) {
    self.network = network
    self.least = least
    self.dataDeviation = dataDeviation
  }

  /// The estimate for a batch, all of it at one level, with one condition a sample.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, given conditions: [Model.Condition]
  ) throws(Model.Failure) -> Estimate {
    let (sigma, d) = (level.ratio, dataDeviation)
    let norm = hypot(sigma, d)
    let moved = sigma - least
    let times = [Double](repeating: 250 * log(sigma + 1e-44), count: x.shape[0])
    let input = x * (1 / (level.signal * norm))
    let output = try network.predict(input, times: times, conditions: conditions)
    let skip = d * d / (moved * moved + d * d)
    let denoised = Tensor.linearCombination([
      (skip / level.signal, x), (moved * d / norm, output),
    ])
    return Estimate(denoised: denoised)
  }
}
