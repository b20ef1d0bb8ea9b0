import TensorCore

/// Ancestral sampling with a second-order step to the level below: an evaluation at the leg's start, one at the ratio that
/// is the geometric mean of the start's and the lower level's, and noise up to the leg's end.
public struct MidpointAncestral: Solver, Hashable, Codable {
  /// Which second-order step.
  public enum Rule: String, Sendable, Hashable, Codable {
    /// Midpoint rule in `r = noise / signal` with the slope `(y - D) / r` of the middle: k-diffusion's
    /// `sample_dpm_2_ancestral`.
    case dpm2
    /// The exact solution with the middle's estimate held: DPM-Solver++(2S) of Lu et al. 2022 (arXiv:2211.01095,
    /// algorithm 1), k-diffusion's `sample_dpmpp_2s_ancestral`.
    case dpmPlusPlus2S
  }

  /// The rule.
  public let rule: Rule
  /// How much noise is put in anew: 0 none, 1 as much as the theory.
  public let eta: Double
  /// What the noise is multiplied by; 1 is the theory's.
  public let noiseScale: Double
  /// 2, without noise.
  public var order: Int { 2 }

  /// The sampler; `eta` lies in 0...1.
  public init(_ rule: Rule, eta: Double = 1, noiseScale: Double = 1) {
    self.rule = rule
    self.eta = checkedEta(eta, "MidpointAncestral")
    self.noiseScale = noiseScale
  }

  /// One step with two evaluations; with one where the lower level is clean or no signal is left at the start.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let split = AncestralSplit(interval, eta: eta)
    var terms: [(factor: Double, tensor: Tensor)]
    if split.down.noise == 0 || interval.from.signal == 0 {
      terms = estimate.firstOrder(x, from: interval.from, to: split.down, scale: split.up.scale)
    } else {
      let ratio = (interval.from.ratio * split.down.ratio).squareRoot()
      let middle = interval.level(ratio: ratio)
      let between = combined(estimate.firstOrder(x, from: interval.from, to: middle))
      let second = try denoiser(between, at: middle)
      terms = finish(x, interval.from, between, second, middle, split)
    }
    if split.deviation > 0 {
      terms.append((split.deviation * noiseScale, noise.noise(like: x, over: interval)))
    }
    return (combined(terms), estimate.denoised)
  }

  private func finish(
    _ x: Tensor, _ from: NoiseLevel, _ between: Tensor, _ second: Estimate, _ middle: NoiseLevel,
    _ split: AncestralSplit
  ) -> [(factor: Double, tensor: Tensor)] {
    let scale = split.up.scale
    switch rule {
    case .dpmPlusPlus2S:
      return second.firstOrder(x, from: from, to: split.down, scale: scale)
    case .dpm2:
      // y' = y + (r' - r) (y_m - D_m) / r_m
      let signal = scale * split.down.signal
      let slope = signal * (split.down.ratio - from.ratio) / middle.ratio
      let terms = [(signal / from.signal, x), (slope / middle.signal, between)]
      return terms + [(-slope, second.direction ?? second.denoised)]
    }
  }
}
