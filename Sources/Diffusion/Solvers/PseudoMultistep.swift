import TensorCore

/// Pseudo linear multistep methods (Liu et al. 2022, arXiv:2202.09778, equation 12): the noise is averaged with Adams and
/// Bashforth's weights for even steps, whatever the grid, and DDIM's step is made along it.
///
/// The order is that of the weights where the steps in `r = noise / signal` are even, and 2 on any other smooth grid, since
/// the weights then stand for integrals over another variable. How it begins tells PNDM, PLMS and iPNDM apart.
public struct PseudoMultistep: Solver, Hashable, Codable {
  /// How the first steps are made, which have too few slopes before them.
  public enum Beginning: String, Sendable, Hashable, Codable {
    /// With as many as there are (iPNDM; Zhang and Chen 2022, arXiv:2204.13902, appendix).
    case lowerOrder
    /// The first with the mean of the noise at both of its ends, the next as ``lowerOrder`` (CompVis' PLMS; diffusers'
    /// `skip_prk_steps`).
    case improvedEuler
    /// Three steps of pseudo Runge-Kutta (Liu et al. 2022, equation 13), each over two legs that meet in its middle:
    /// ``plan(_:)`` puts the middles in.
    case rungeKutta
  }

  /// What is averaged.
  public enum Averaged: String, Sendable, Hashable, Codable, CaseIterable {
    /// The noise, as the paper has it.
    case noise
    /// `v = signal epsilon - noise x0`, and the mean is read with the sample and the level at hand: what diffusers does where
    /// the network answers v. A v of an earlier step is turned against it by the angle between the two levels, so that the
    /// order is 1.
    case velocity
  }

  /// How many slopes are averaged: 1 to 4.
  public let slopes: Int
  /// How the first steps are made.
  public let beginning: Beginning
  /// What is averaged.
  public let averaged: Averaged
  /// What the papers give: for PNDM and PLMS 2, as on any smooth grid, for iPNDM that of the weights.
  public var order: Int {
    averaged == .velocity ? 1 : beginning == .lowerOrder ? slopes : min(slopes, 2)
  }

  /// The solver.
  public init(
    slopes: Int = 4, beginning: Beginning = .improvedEuler, averaged: Averaged = .noise
  ) {
    require((1...4).contains(slopes), "PseudoMultistep", "\(slopes) slopes: give 1 to 4")
    self.slopes = slopes
    self.beginning = beginning
    self.averaged = averaged
  }

  /// What it remembers.
  public struct Memory: Codable, Sendable {
    /// The noise at the latest steps.
    public internal(set) var history: SlopeHistory
    /// Where the Runge-Kutta step under way began, and the weighted sum of its slopes so far.
    var base: PlacedSample?
    var sum: Tensor?
  }

  /// Nothing remembered.
  public func start() -> Memory { start(after: []) }
  /// The slopes of the past.
  public func start(after past: [PastStep]) -> Memory {
    var history = SlopeHistory(past, in: .noise, keeping: slopes - 1)
    if averaged == .velocity {
      history.nodes = past.suffix(slopes - 1).reversed().map { step in
        SlopeNode(
          level: step.level, slope: slope(step.x, Estimate(denoised: step.denoised), step.level))
      }
    }
    return Memory(history: history)
  }

  /// Adams and Bashforth's weights for even steps, the latest slope's first.
  private static let weights: [[Double]] = [
    [1], [3.0 / 2, -1.0 / 2], [23.0 / 12, -16.0 / 12, 5.0 / 12],
    [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24],
  ]

  /// One step with one evaluation, or two where it begins with more.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    if beginning == .rungeKutta, memory.history.nodes.count < 3 || memory.base != nil {
      return memory.base == nil
        ? try firstHalf(x, interval, &denoiser, &memory)
        : try secondHalf(x, interval, &denoiser, &memory)
    }
    let estimate = try denoiser(x, at: interval.from)
    memory.history.stepsDone += 1
    let now = SlopeNode(level: interval.from, slope: slope(x, estimate, interval.from))
    let used = [now] + memory.history.nodes
    memory.history.record(now, keeping: slopes - 1)
    guard interval.from.signal > 0 else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    if used.count == 1 {
      guard beginning == .improvedEuler, slopes > 1, interval.to.noise > 0 else {
        return (interval.firstOrder(x, estimate), estimate.denoised)
      }
      let ahead = moved(x, interval, [(1, now.slope)])
      let second = try denoiser(ahead, at: interval.to)
      let end = slope(ahead, second, interval.to)
      return (moved(x, interval, [(0.5, now.slope), (0.5, end)]), estimate.denoised)
    }
    let weights = Self.weights[used.count - 1]
    return (moved(x, interval, Array(zip(weights, used.map(\.slope)))), estimate.denoised)
  }

  private func slope(_ x: Tensor, _ estimate: Estimate, _ level: NoiseLevel) -> Tensor {
    averaged == .noise
      ? Coordinates.noise.slope(at: x, estimate, level) : estimate.velocity(of: x, at: level)
  }

  /// DDIM's step along a weighted sum of slopes, whose weights add up to 1.
  private func moved(
    _ x: Tensor, _ interval: Interval, _ slopes: [(Double, Tensor)]
  ) -> Tensor {
    let (from, to) = (interval.from, interval.to)
    let step = to.ratio - from.ratio
    if averaged == .noise {
      return Coordinates.noise.moved(
        x, from: from, to: to, along: slopes.map { (step * $0.0, $0.1) })
    }
    // epsilon = (noise x + signal v) / (signal^2 + noise^2)
    let share = to.signal * step / from.totalVariance
    return Tensor.linearCombination(
      [(to.signal / from.signal + share * from.noise, x)]
        + slopes.map { (share * from.signal * $0.0, $0.1) })
  }
}

// MARK: - The Runge-Kutta beginning

extension PseudoMultistep {
  /// The plan with a level put in the middle of each of the first three legs, in the logarithm of the ratio of noise to
  /// signal, for a ``Beginning/rungeKutta`` beginning.
  public static func plan(_ plan: SamplingPlan) -> SamplingPlan {
    let levels = plan.intervals.enumerated().flatMap { index, leg -> [NoiseLevel] in
      guard index < 3, leg.hasLambda else { return [leg.to] }
      return [leg.level(ratio: (leg.from.ratio * leg.to.ratio).squareRoot()), leg.to]
    }
    return SamplingPlan(levels: [plan.start] + levels)
  }

  /// To the middle: twice, with the slope at the start and then with the one found there.
  private func firstHalf<D: Denoiser>(
    _ x: Tensor, _ interval: Interval, _ denoiser: inout Evaluator<D>, _ memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    memory.history.stepsDone += 1
    guard interval.hasLambda else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    let first = slope(x, estimate, interval.from)
    let middle = moved(x, interval, [(1, first)])
    let second = slope(middle, try denoiser(middle, at: interval.to), interval.to)
    memory.history.record(
      SlopeNode(level: interval.from, slope: first), keeping: slopes - 1)
    memory.base = PlacedSample(level: interval.from, x: x)
    memory.sum = Tensor.linearCombination([(1.0 / 6, first), (1.0 / 3, second)])
    return (moved(x, interval, [(1, second)]), estimate.denoised)
  }

  /// From the start to the end: with the slope in the middle, and then with the mean of all four.
  private func secondHalf<D: Denoiser>(
    _ x: Tensor, _ interval: Interval, _ denoiser: inout Evaluator<D>, _ memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    memory.history.stepsDone += 1
    guard let base = memory.base, let sum = memory.sum, interval.to.noise > 0 else {
      memory.base = nil
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    let whole = Interval(from: base.level, to: interval.to)
    let third = slope(x, estimate, interval.from)
    let ahead = moved(base.x, whole, [(1, third)])
    let fourth = slope(ahead, try denoiser(ahead, at: interval.to), interval.to)
    (memory.base, memory.sum) = (nil, nil)
    let moved = moved(base.x, whole, [(1, sum), (1.0 / 3, third), (1.0 / 6, fourth)])
    return (moved, estimate.denoised)
  }
}
