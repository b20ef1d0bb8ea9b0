import Diffusion
import Foundation
import TensorCore

/// Measures errors and orders of deterministic solvers against the exact path.
public struct OrderMeasurement: Sendable {
  /// The data.
  public let world: OrderWorld
  /// The process.
  public let family: ProcessFamily
  /// Over which grid.
  public let grid: Grid

  /// The ratios of noise to signal of a trajectory.
  public enum Grid: String, Sendable, Codable {
    /// Karras et al. 2022, equation 5: 8 to 0.05 with rho 7.
    case smooth
    /// 8 to 2, even.
    case evenRatios
    /// Karras et al. 2022, equation 5: 80 to 0.002 with rho 7, and then to clean data.
    case karrasToClean

    /// The ratio at step `index` of `steps`; below 0 before the first.
    public func ratio(_ index: Int, of steps: Int) -> Double {
      let share = Double(index) / Double(steps)
      switch self {
      case .smooth: return Self.karras(share, 8, 0.05)
      case .evenRatios: return 8 - 6 * share
      case .karrasToClean:
        if index == steps { return 0 }
        return Self.karras(Double(index) / Double(max(steps - 1, 1)), 80, 0.002)
      }
    }

    private static func karras(_ share: Double, _ first: Double, _ last: Double) -> Double {
      let (high, low) = (pow(first, 1.0 / 7), pow(last, 1.0 / 7))
      return pow(high + share * (low - high), 7)
    }
  }

  /// One run.
  public struct Run: Sendable, Codable {
    /// Steps of the grid.
    public let steps: Int
    /// Evaluations a sample.
    public let evaluations: Int
    /// The greatest distance of an element of `x / signal` from the exact path's end.
    public let error: Double
  }

  /// A measurement on one of the families.
  public init(_ world: OrderWorld, _ family: ProcessFamily, _ grid: Grid) {
    self.world = world
    self.family = family
    self.grid = grid
  }

  /// Runs a sampler over the grid with `steps` steps.
  ///
  /// - Parameter startsExactly: whether multistep solvers begin with slopes of the exact path from before the grid.
  public func run(_ sampler: Sampler, steps: Int, startsExactly: Bool) throws -> Run {
    try run(sampler.solver, sampler.plan, steps, startsExactly)
  }

  private func run<S: Solver>(
    _ solver: S, _ change: (SamplingPlan) -> SamplingPlan, _ steps: Int, _ startsExactly: Bool
  ) throws -> Run {
    let levels = (0...steps).map { index in
      let ratio = grid.ratio(index, of: steps)
      return ratio == 0 ? .clean : family.level(ratio)
    }
    let given = SamplingPlan(levels: levels)
    let changed = change(given)
    // A solver that puts a start of its own into the plan goes by that.
    let past = startsExactly && changed == given ? try past(steps) : []
    let plan = changed
    let begin = try point(at: plan.start.ratio)
    var trajectory = Trajectory(
      from: begin * plan.start.signal, plan: plan, solver: solver, denoiser: world.denoiser,
      noise: NoNoise(), after: past)
    let x = try trajectory.last()
    let end = plan.intervals.last?.to ?? .clean
    let exact = try point(at: end.ratio)
    let error = zip(x.doubles, exact.doubles).map { abs($0 / end.signal - $1) }.max() ?? 0
    return Run(steps: steps, evaluations: trajectory.snapshot.evaluations, error: error)
  }

  /// Three steps of the exact path before the grid begins, the latest last.
  private func past(_ steps: Int) throws -> [PastStep] {
    try [-3, -2, -1].map { index in
      let ratio = grid.ratio(index, of: steps)
      let level = family.level(ratio)
      let x = try point(at: ratio) * level.signal
      let estimate = world.denoiser.estimate(x, at: level)
      return PastStep(level: level, x: x, denoised: estimate.denoised)
    }
  }

  /// The exact path at a ratio: from the world's start over the grids' own ends, which are computed once.
  private func point(at ratio: Double) throws -> Tensor {
    ExactPoints.shared.point(of: world, at: ratio)
  }

  /// The order that the errors at `steps` and four times as many steps show.
  ///
  /// Four times, so that a method which takes steps in threes ends with the same remainder.
  public func order(
    of sampler: Sampler, steps: Int = 128, startsExactly: Bool
  ) throws -> Double {
    let runs = try [steps, 4 * steps].map {
      try run(sampler, steps: $0, startsExactly: startsExactly)
    }
    return log2(runs[0].error / runs[1].error) / 2
  }
}

/// Points of exact paths that were asked for before.
final class ExactPoints: @unchecked Sendable {
  static let shared = ExactPoints()
  private let lock = NSLock()
  private var points: [String: [Double: Tensor]] = [:]

  func point(of world: OrderWorld, at ratio: Double) -> Tensor {
    // y hardly moves below: its slope in r is bounded, and 1e-13 is beyond what is compared.
    let ratio = max(ratio, 1e-13)
    lock.lock()
    defer { lock.unlock() }
    if let known = points[world.name]?[ratio] { return known }
    let powers = abs(log(ratio / world.start.ratio))
    let y = world.flow(
      world.start.y, from: world.start.ratio, to: ratio, steps: max(200, Int(800 * powers)))
    points[world.name, default: [:]][ratio] = y
    return y
  }
}
