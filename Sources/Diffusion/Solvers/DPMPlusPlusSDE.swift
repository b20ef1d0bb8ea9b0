import TensorCore

/// DPM-Solver++ on the reverse SDE, singlestep with the middle at half the step in `ln(signal / noise)` (Lu et al. 2022,
/// arXiv:2211.01095; k-diffusion's `sample_dpmpp_sde` with r = 1/2).
///
/// The noise of the whole step is put together from that of its halves, so that it is right with any source; with a
/// ``BrownianPath`` it is the path's own.
public struct DPMPlusPlusSDE: Solver, Hashable, Codable {
  /// How much noise is put in anew: 0 none, 1 as much as the theory.
  public let eta: Double
  /// What the noise is multiplied by; 1 is the theory's.
  public let noiseScale: Double
  /// 2, without noise.
  public var order: Int { 2 }

  /// The sampler; `eta` lies in 0...1.
  public init(eta: Double = 1, noiseScale: Double = 1) {
    self.eta = checkedEta(eta, "DPMPlusPlusSDE")
    self.noiseScale = noiseScale
  }

  /// One step with two evaluations; with one to clean data and from pure noise.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (from, to) = (interval.from, interval.to)
    if to.noise == 0 || from.signal == 0 {
      return try EulerAncestral(eta: eta, noiseScale: noiseScale).step(
        x, over: interval, with: &denoiser, noise: &noise, memory: &memory)
    }
    let estimate = try denoiser(x, at: from)
    let ratio = (from.ratio * to.ratio).squareRoot()
    let middle = interval.level(ratio: ratio)
    let first = Interval(from: from, to: middle, visit: interval.visit)
    let second = Interval(from: middle, to: to, visit: interval.visit)
    let half = AncestralSplit(first, eta: eta)
    let whole = AncestralSplit(interval, eta: eta)
    if eta == 0 {
      let between = combined(estimate.firstOrder(x, from: from, to: middle))
      let later = try denoiser(between, at: middle)
      return (combined(later.firstOrder(x, from: from, to: to)), estimate.denoised)
    }
    let (z1, z2) = (noise.noise(like: x, over: first), noise.noise(like: x, over: second))
    let between = combined(
      estimate.firstOrder(x, from: from, to: half.down, scale: half.up.scale)
        + [(half.deviation * noiseScale, z1)])
    let later = try denoiser(between, at: middle)
    let parts = Self.shares(of: first, in: interval)
    let deviation = whole.deviation * noiseScale
    let moved = combined(
      later.firstOrder(x, from: from, to: whole.down, scale: whole.up.scale)
        + [(deviation * parts.first, z1), (deviation * parts.second, z2)])
    return (moved, estimate.denoised)
  }

  /// How a standard normal of the whole leg is made of those of a first part and the rest: by the roots of their shares
  /// of the signal-to-noise ratio, the time of ``BrownianPath``.
  package static func shares(
    of part: Interval, in whole: Interval
  ) -> (first: Double, second: Double) {
    let q = whole.to.ratio / whole.from.ratio
    let (early, late) = (part.to.ratio / whole.from.ratio, whole.to.ratio / part.to.ratio)
    func rest(_ q: Double) -> Double { (1 - q) * (1 + q) }
    return (
      late * (rest(early) / rest(q)).squareRoot(), (rest(late) / rest(q)).squareRoot()
    )
  }
}
