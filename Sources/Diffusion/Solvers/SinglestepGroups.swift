import TensorCore

/// Singlestep exponential integrators whose stages are the levels of the plan: one evaluation a leg (diffusers'
/// `DPMSolverSinglestepScheduler`; Lu et al. 2022, arXiv:2206.00927, section 3.4).
///
/// Legs are taken in groups of `order`, over which the order rises: of one from the group's start, of two to the next level,
/// of three to the one after. What legs are left at the end make a smaller group; a step to clean data is of order one.
/// Over a plan with stages at thirds of lambda, ``plan(_:)``, it is k-diffusion's DPM-fast.
public struct SinglestepGroups: Solver, Hashable, Codable {
  /// What is integrated.
  public let coordinates: Coordinates
  /// As many legs make a group: 1 to 3.
  public let order: Int
  /// How the line's slope is weighed in steps of order two.
  public let rule: LinearRule
  /// Whether the last legs are shared out so that the very last is of order one, as both references do.
  public let lowersFinalOrder: Bool

  /// The solver.
  public init(
    _ coordinates: Coordinates, order: Int = 2, rule: LinearRule = .middle,
    lowersFinalOrder: Bool = true
  ) {
    require((1...3).contains(order), "SinglestepGroups", "order \(order): give 1 to 3")
    self.coordinates = coordinates
    self.order = order
    self.rule = rule
    self.lowersFinalOrder = lowersFinalOrder
  }

  /// The group under way.
  public struct Memory: Codable, Sendable {
    /// Legs made.
    var stepsDone = 0
    /// The sample at the group's start.
    var base: Tensor?
    /// The slopes in the group, the first at its start.
    var nodes: [SlopeNode] = []
  }

  /// No leg made.
  public func start() -> Memory { Memory() }

  /// The order of each of `count` legs.
  func orders(_ count: Int) -> [Int] {
    let rise = Array(1...order)
    func repeated(_ groups: Int) -> [Int] {
      Array(repeatElement(rise, count: max(groups, 0)).joined())
    }
    let (groups, left) = (count / order, count % order)
    if order > 1, lowersFinalOrder, left == 0 {
      return repeated(groups - 1) + (order == 3 ? [1, 2, 1] : [1, 1]).prefix(count)
    }
    return repeated(groups) + rise.prefix(left)
  }

  /// One leg with one evaluation.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let estimate = try denoiser(x, at: interval.from)
    guard interval.from.signal > 0 else {
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    var legOrder = orders(memory.stepsDone + interval.following.count + 1)[memory.stepsDone]
    memory.stepsDone += 1
    if legOrder == 1 || memory.base == nil {
      (memory.base, memory.nodes, legOrder) = (x, [], 1)
    }
    guard interval.hasLambda, let base = memory.base else {
      (memory.base, memory.nodes) = (nil, [])
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    memory.nodes.append(
      SlopeNode(
        level: interval.from, slope: coordinates.slope(at: x, estimate, interval.from)))
    // A group that began late, after a leg from pure noise, has fewer slopes.
    legOrder = min(legOrder, memory.nodes.count)
    if legOrder == 1 { return (interval.firstOrder(x, estimate), estimate.denoised) }
    let nodes = [memory.nodes[0], memory.nodes[legOrder - 1]]
    let moved = coordinates.exponential(
      base, from: nodes[0].level, to: interval.to, through: nodes,
      rule: legOrder == 2 ? rule : .exact)
    return (moved, estimate.denoised)
  }
}

extension SinglestepGroups {
  /// The plan of k-diffusion's DPM-fast with as many legs: groups of even length in lambda from the first level to the
  /// last with noise, with stages at thirds and, in a group of two, in the middle.
  public static func fast(_ plan: SamplingPlan) -> SamplingPlan {
    let legs = plan.intervals.filter(\.hasLambda)
    guard let first = legs.first, let last = legs.last, legs.count > 1 else { return plan }
    let endsClean = plan.intervals.last?.to.noise == 0
    let orders = SinglestepGroups(.noise, order: 3).orders(legs.count + (endsClean ? 1 : 0))
      .prefix(legs.count)
    let sizes = orders.indices.filter { $0 + 1 == orders.count || orders[$0 + 1] == 1 }
      .map { orders[$0] }
    let whole = Interval(from: first.from, to: last.to)
    var levels = plan.intervals.prefix { !$0.hasLambda }.map(\.from)
    for (index, size) in sizes.enumerated() {
      for stage in 0..<size {
        let share = (Double(index) + Double(stage) / Double(size)) / Double(sizes.count)
        levels.append(share == 0 ? first.from : whole.level(lambdaShare: share))
      }
    }
    levels.append(last.to)
    if let end = plan.intervals.last?.to, end.noise == 0 { levels.append(end) }
    return SamplingPlan(levels: levels)
  }
}
