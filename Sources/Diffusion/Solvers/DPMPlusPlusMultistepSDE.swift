import TensorCore

/// DPM-Solver++ on the reverse SDE, multistep (k-diffusion's `sample_dpmpp_2m_sde` and `sample_dpmpp_3m_sde`; the second
/// order with the midpoint rule is Lu et al. 2022, arXiv:2211.01095, appendix B, SDE-DPM-Solver++(2M)): the estimate's change
/// over the leg is extrapolated from the steps before.
public struct DPMPlusPlusMultistepSDE: Solver, Hashable, Codable {
  /// How the change of the estimate is integrated.
  public enum Rule: String, Sendable, Hashable, Codable {
    /// Half of the change: 2M's default.
    case midpoint
    /// Exactly, of a straight line: 2M's other.
    case heun
    /// As 3M has it: as a parabola, but of the square term half of its integral (k-diffusion's `phi_3` goes with a second
    /// derivative, and is given a divided difference, which is half of that), so that the order is 2.
    case third
    /// Exactly, of a parabola.
    case parabola
  }

  /// The rule.
  public let rule: Rule
  /// How much of the theory's squared noise is put in: 0 none, 1 all.
  public let eta: Double
  /// What the noise is multiplied by; 1 is the theory's.
  public let noiseScale: Double
  /// 2 or 3, without noise.
  public var order: Int { rule == .parabola ? 3 : 2 }
  /// How many earlier estimates are used.
  private var memorized: Int { rule == .third || rule == .parabola ? 2 : 1 }

  /// The sampler; `eta` is not negative.
  public init(_ rule: Rule = .midpoint, eta: Double = 1, noiseScale: Double = 1) {
    require(eta >= 0, "DPMPlusPlusMultistepSDE", "eta is \(eta): give 0 or more")
    self.rule = rule
    self.eta = eta
    self.noiseScale = noiseScale
  }

  /// Nothing yet.
  public func start() -> SlopeHistory { start(after: []) }

  /// The estimates of steps that were made elsewhere.
  public func start(after past: [PastStep]) -> SlopeHistory {
    SlopeHistory(past, in: .data, keeping: memorized)
  }

  /// One step with one evaluation; of first order to clean data and while nothing is known of the estimate's change.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout SlopeHistory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let denoised = try denoiser(x, at: interval.from).denoised
    let step = ReverseStep(interval, eta: eta)
    var weights = [step.constant]
    if interval.to.noise > 0 {
      let lambdas = memory.nodes.map(\.level.lambda)
      for (index, weight) in changes(interval.from.lambda, lambdas, step).enumerated() {
        if index == weights.count { weights.append(0) }
        weights[index] += weight
      }
    }
    let estimates = [denoised] + memory.nodes.map(\.slope)
    var terms = [(step.sample, x)] + zip(weights, estimates).map { ($0 * step.signal, $1) }
    if step.deviation > 0 {
      terms.append((step.deviation * noiseScale, noise.noise(like: x, over: interval)))
    }
    // An estimate from pure noise is infinitely far away: nothing can be extrapolated from it.
    if interval.from.signal > 0 {
      memory.record(SlopeNode(level: interval.from, slope: denoised), keeping: memorized)
    }
    return (combined(terms), denoised)
  }

  /// What the change of the estimate adds to the weight of each, newest first.
  private func changes(_ now: Double, _ lambdas: [Double], _ step: ReverseStep) -> [Double] {
    guard let last = lambdas.first else { return [0] }
    let near = (now - last) / step.width
    if rule == .midpoint {
      let share = step.constant / (2 * near)
      return [share, -share]
    }
    guard memorized > 1, lambdas.count > 1 else {
      return [step.linear / near, -step.linear / near]
    }
    let far = (last - lambdas[1]) / step.width
    // Divided differences: d0 = (D0 - D1) / near, d1 = (D1 - D2) / far; slope d0 + (d0 - d1) near / (near + far) and
    // curvature (d0 - d1) / (near + far).
    let square = rule == .parabola ? 2 * step.square : step.square
    let curvature = (step.linear * near - square) / (near + far)
    let (first, second) = (step.linear + curvature, -curvature)
    return [first / near, second / far - first / near, -second / far]
  }
}
