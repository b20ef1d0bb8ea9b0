import TensorCore

/// Multistep sampling of consistency models (Song et al. 2023, arXiv:2303.01469, algorithm 1) and of latent consistency
/// models (Luo et al. 2023, arXiv:2310.04378, algorithm 3): clean data in one evaluation, and noise anew up to the next
/// level:
///
/// `x' = a' (D + sqrt(r'^2 - floor^2) z)`.
///
/// The scalings that make `D(x) = x` at the least noise are the denoiser's: ``ConsistencyBoundary``.
public struct ConsistencySampler: Solver, Hashable, Codable {
  /// The ratio of noise to signal that the model's answer is taken to have left: the least it was trained on (0.002 for
  /// consistency models, 0 for latent ones).
  public let floor: Double
  /// What the noise is multiplied by; 1 is the theory's.
  public let noiseScale: Double
  /// 1; there is no differential equation whose solution it nears.
  public var order: Int { 1 }

  /// The sampler.
  public init(floor: Double = 0, noiseScale: Double = 1) {
    require(floor >= 0, "ConsistencySampler", "the floor is \(floor): give 0 or more")
    self.floor = floor
    self.noiseScale = noiseScale
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let denoised = try denoiser(x, at: interval.from).denoised
    let to = interval.to
    let least = floor * to.signal
    if to.noise <= least { return (denoised * to.signal, denoised) }
    let deviation = ((to.noise - least) * (to.noise + least)).squareRoot() * noiseScale
    let z = noise.noise(like: x, over: interval)
    return (combined([(to.signal, denoised), (deviation, z)]), denoised)
  }
}
