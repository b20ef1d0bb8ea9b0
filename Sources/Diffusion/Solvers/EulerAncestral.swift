import TensorCore

/// Ancestral sampling with Euler's step (k-diffusion's `sample_euler_ancestral`): along the probability-flow ODE to a level
/// below, then noise up to the leg's end. Off rectified flow it is DDIM with the same eta; with `eta = 1` DDPM's step.
public struct EulerAncestral: Solver, Hashable, Codable {
  /// How much noise is put in anew: 0 none, 1 as much as the theory.
  public let eta: Double
  /// What the noise is multiplied by; 1 is the theory's.
  public let noiseScale: Double
  /// 1: Euler's.
  public var order: Int { 1 }

  /// The sampler; `eta` lies in 0...1.
  public init(eta: Double = 1, noiseScale: Double = 1) {
    self.eta = checkedEta(eta, "EulerAncestral")
    self.noiseScale = noiseScale
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let split = AncestralSplit(interval, eta: eta)
    var terms = estimate.firstOrder(x, from: interval.from, to: split.down, scale: split.up.scale)
    if split.deviation > 0 {
      terms.append((split.deviation * noiseScale, noise.noise(like: x, over: interval)))
    }
    return (combined(terms), estimate.denoised)
  }
}

/// A share of the theory's noise, 0 to 1.
func checkedEta(_ eta: Double, _ solver: String) -> Double {
  require((0...1).contains(eta), solver, "eta is \(eta): give 0 to 1")
  return eta
}
