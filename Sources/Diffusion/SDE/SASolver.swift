import TensorCore

/// The stochastic Adams method of Xue et al. 2023 (SA-Solver, arXiv:2309.05019, algorithm 1): Adams-Bashforth and
/// Adams-Moulton on the reverse SDE with `tau^2` times the theory's squared noise, the estimate interpolated in
/// `ln(signal / noise)` and its integral exact:
///
/// `x' = (s'/s) exp(-tau^2 h) x + sum b_i D_i + s' sqrt(1 - exp(-2 tau^2 h)) z`.
///
/// The corrector does the last step again with the estimate at its end and the same noise. With two nodes the line's
/// integral is its value in the middle, as in the authors' program.
public struct SASolver: Solver, Hashable, Codable {
  /// What is evaluated in a step: predict, evaluate, correct; and evaluate again.
  public enum Mode: String, Sendable, Hashable, Codable {
    /// One evaluation a step, of the predicted sample.
    case pec
    /// Another one, of the corrected sample.
    case pece
  }

  /// Nodes of the predictor, 1 to 4.
  public let predictorOrder: Int
  /// Nodes of the corrector, the step's end among them, 1 to 4; 0 for none.
  public let correctorOrder: Int
  /// The share of the theory's noise (its standard deviation) where ``range`` has it.
  public let tau: Double
  /// The ratios of noise to signal at which noise is put in; elsewhere tau is 0.
  public let range: ClosedRange<Double>
  /// What is evaluated.
  public let mode: Mode
  /// What happens to both orders over the last steps; the corrector's stays one higher.
  public let finalOrder: FinalOrder
  /// Without noise: the predictor's, one more with a corrector that has as many nodes or more.
  public var order: Int { correctorOrder > predictorOrder ? correctorOrder : predictorOrder }

  /// The sampler.
  public init(
    predictorOrder: Int = 2, correctorOrder: Int = 2, tau: Double = 1,
    range: ClosedRange<Double> = 0...(.infinity), mode: Mode = .pec,
    finalOrder: FinalOrder = .lowered
  ) {
    require(
      (1...4).contains(predictorOrder) && (0...4).contains(correctorOrder) && tau >= 0, "SASolver",
      "orders \(predictorOrder) and \(correctorOrder), tau \(tau): give 1 to 4, 0 to 4, 0 or more")
    self.predictorOrder = predictorOrder
    self.correctorOrder = correctorOrder
    self.tau = tau
    self.range = range
    self.mode = mode
    self.finalOrder = finalOrder
  }

  /// What is carried from one step to the next.
  public struct Memory: Codable, Sendable {
    /// Estimates and their levels, newest first.
    var nodes: [SlopeNode] = []
    /// The last step, for the corrector.
    var last: Last?
    /// How many steps were made.
    var stepsDone = 0
  }

  /// A step as it was predicted.
  struct Last: Codable, Sendable {
    let x: Tensor
    let interval: Interval
    let noise: Tensor?
    let nodes: Int
  }

  /// Nothing yet.
  public func start() -> Memory { Memory() }

  /// The estimates of steps that were made elsewhere.
  public func start(after past: [PastStep]) -> Memory {
    let kept = max(predictorOrder, correctorOrder - 1)
    return Memory(nodes: SlopeHistory(past, in: .data, keeping: kept).nodes)
  }

  /// One step; the estimate is that of the predicted sample.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let from = interval.from
    let denoised = try denoiser(x, at: from).denoised
    var sample = x
    var node = SlopeNode(level: from, slope: denoised)
    if let last = memory.last {
      let nodes = Array(([node] + memory.nodes).prefix(last.nodes))
      sample = moved(last.x, over: last.interval, through: nodes, noise: last.noise)
      if mode == .pece {
        node = SlopeNode(level: from, slope: try denoiser(sample, at: from).denoised)
      }
    }
    let known = memory.nodes.count
    let limit = finalOrder.limit(over: interval, stepsDone: memory.stepsDone)
    memory.stepsDone += 1
    let estimates = Array(
      ([node] + memory.nodes).prefix(max(predictorOrder, correctorOrder - 1)))
    // An estimate from pure noise is infinitely far away: nothing can be extrapolated from it.
    memory.nodes = from.signal > 0 ? estimates : []
    let z = deviates(interval) ? noise.noise(like: x, over: interval) : nil
    let nodes = min(predictorOrder, limit, known + 1)
    let predicted = moved(
      sample, over: interval, through: Array(estimates.prefix(nodes)), noise: z)
    let corrects = correctorOrder > 0 && from.signal > 0 && interval.to.noise > 0
    memory.last =
      corrects
      ? Last(
        x: sample, interval: interval, noise: z,
        nodes: min(correctorOrder, limit == .max ? limit : limit + 1, known + 2))
      : nil
    return (predicted, denoised)
  }

  private func deviates(_ interval: Interval) -> Bool {
    tau > 0 && interval.to.noise > 0 && range.contains(interval.from.ratio)
  }

  /// The step with the polynomial through the estimates of `nodes`.
  private func moved(
    _ x: Tensor, over interval: Interval, through nodes: [SlopeNode], noise: Tensor?
  ) -> Tensor {
    let step = ReverseStep(interval, eta: noise == nil ? 0 : tau * tau)
    var terms = [(step.sample, x)]
    if step.decay.isFinite {
      let start = interval.from.lambda
      var moments = Quadrature.moments(
        lambdaStep: step.decay, sign: 1, end: step.signal, count: nodes.count)
      if nodes.count == 2 { moments[1] = step.signal * step.decay / 2 }
      let places = nodes.map { ($0.level.lambda - start) / step.width }
      let weights = Quadrature.weights(nodes: places, moments: moments)
      terms += zip(weights, nodes).map { ($0, $1.slope) }
    } else {
      terms.append((step.signal, nodes[0].slope))
    }
    if let noise { terms.append((step.deviation, noise)) }
    return combined(terms)
  }
}
