import TensorCore

/// The unified predictor and corrector (Zhao et al. 2023, arXiv:2302.04867, algorithms 5 to 8).
///
/// The predictor is the exponential multistep method of `order` slopes. When the denoiser is asked at the predicted sample the
/// answer is one node more for the step just made, which is made again with it: the order rises by one at no evaluation
/// more. The next step goes on from the corrected sample; what is handed out is the predicted one.
///
/// The paper's `B(h)` cancels from orders three up, where its weights are those of the exact integral; below it is
/// ``LinearRule/plain`` for `B_1` and ``LinearRule/middle`` for `B_2`.
public struct UniPC: Solver, Hashable, Codable {
  /// What is integrated: on the data as a rule.
  public let coordinates: Coordinates
  /// How many slopes the predictor uses at most: 1 to 3.
  public let predictorOrder: Int
  /// How the slope of a straight line is weighed: `B(h)`.
  public let rule: LinearRule
  /// Whether steps are corrected.
  public let corrects: Bool
  /// The steps, counted from 0, that are not corrected.
  public let uncorrectedSteps: [Int]
  /// What happens to the order over the last steps.
  public let finalOrder: FinalOrder
  /// The predictor's, and one more with the corrector.
  public var order: Int { predictorOrder + (corrects ? 1 : 0) }

  /// The solver.
  public init(
    _ coordinates: Coordinates = .data, predictorOrder: Int = 2, rule: LinearRule = .middle,
    corrects: Bool = true, uncorrectedSteps: [Int] = [], finalOrder: FinalOrder = .loweredToClean
  ) {
    require((1...3).contains(predictorOrder), "UniPC", "order \(predictorOrder): give 1 to 3")
    self.coordinates = coordinates
    self.predictorOrder = predictorOrder
    self.rule = rule
    self.corrects = corrects
    self.uncorrectedSteps = uncorrectedSteps
    self.finalOrder = finalOrder
  }

  /// What it remembers.
  public struct Memory: Codable, Sendable {
    /// The slopes of earlier steps.
    public internal(set) var history: SlopeHistory
    /// The sample at the start of the step before, and how many slopes that step used.
    var before: PlacedSample?
    var used = 0
  }

  /// Nothing remembered.
  public func start() -> Memory { start(after: []) }
  /// The slopes of the past; the first step is not corrected.
  public func start(after past: [PastStep]) -> Memory {
    Memory(history: SlopeHistory(past, in: coordinates, keeping: predictorOrder))
  }

  /// One step with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    let slope = coordinates.slope(at: x, estimate, interval.from)
    let now = SlopeNode(level: interval.from, slope: slope)
    let sample = corrected(x, now, memory)
    let limit = min(
      predictorOrder, finalOrder.limit(over: interval, stepsDone: memory.history.stepsDone))
    memory.history.stepsDone += 1
    memory.before = nil
    guard interval.from.signal > 0 else {
      return (interval.firstOrder(sample, estimate), estimate.denoised)
    }
    let used = [now] + memory.history.nodes.prefix(limit - 1)
    memory.history.record(now, keeping: predictorOrder)
    guard interval.hasLambda else {
      return (predicted(sample, interval, [now]), estimate.denoised)
    }
    memory.before = PlacedSample(level: interval.from, x: sample)
    memory.used = used.count
    return (predicted(sample, interval, used), estimate.denoised)
  }

  private func predicted(_ x: Tensor, _ interval: Interval, _ nodes: [SlopeNode]) -> Tensor {
    if nodes.count > 1 {
      return coordinates.exponential(
        x, from: interval.from, to: interval.to, through: nodes, rule: rule)
    }
    // The slope was taken at the predicted sample, not at `x`: on the noise that is another estimate.
    if interval.to.noise == 0, coordinates == .data {
      return interval.to.signal == 1 ? nodes[0].slope : nodes[0].slope * interval.to.signal
    }
    let step = coordinates.position(of: interval.to) - coordinates.position(of: interval.from)
    return coordinates.moved(
      x, from: interval.from, to: interval.to, along: [(step, nodes[0].slope)])
  }

  /// The sample at the end of the step before, made again with the slope there.
  private func corrected(_ x: Tensor, _ now: SlopeNode, _ memory: Memory) -> Tensor {
    let corrected = memory.history.stepsDone - 1
    guard corrects, let before = memory.before, !uncorrectedSteps.contains(corrected) else {
      return x
    }
    let nodes = Array(memory.history.nodes.prefix(memory.used)) + [now]
    return coordinates.exponential(
      before.x, from: before.level, to: now.level, through: nodes, rule: rule)
  }
}
