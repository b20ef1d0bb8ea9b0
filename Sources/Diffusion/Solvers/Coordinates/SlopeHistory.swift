import TensorCore

/// A slope of the probability-flow ODE and the level that it was taken at.
public struct SlopeNode: Sendable, Codable {
  /// The level.
  public let level: NoiseLevel
  /// `dy/dr` or `du/dq`; see ``Coordinates``.
  public let slope: Tensor
}

/// A sample and the level that it is at.
struct PlacedSample: Sendable, Codable {
  /// The level.
  let level: NoiseLevel
  /// The sample.
  let x: Tensor
}

/// What multistep solvers remember.
public struct SlopeHistory: Sendable, Codable {
  /// The slopes of earlier steps, the latest first.
  public internal(set) var nodes: [SlopeNode] = []
  /// How many steps were made.
  public internal(set) var stepsDone = 0

  /// Notes the slope of a step and forgets those before the last `count`.
  mutating func record(_ node: SlopeNode, keeping count: Int) {
    nodes.insert(node, at: 0)
    if nodes.count > count { nodes.removeLast(nodes.count - count) }
  }

  /// The slopes of steps that were made elsewhere, the latest last.
  init(_ past: [PastStep] = [], in coordinates: Coordinates, keeping count: Int) {
    for step in past {
      let slope = coordinates.slope(at: step.x, Estimate(denoised: step.denoised), step.level)
      record(SlopeNode(level: step.level, slope: slope), keeping: count)
    }
    stepsDone = past.count
  }
}

/// A sample, its level and the estimate for it, from before a trajectory: see ``Solver/start(after:)``.
public struct PastStep: Sendable {
  /// The level.
  public let level: NoiseLevel
  /// The sample there.
  public let x: Tensor
  /// The estimate for it.
  public let denoised: Tensor

  /// A step of the past.
  public init(level: NoiseLevel, x: Tensor, denoised: Tensor) {
    self.level = level
    self.x = x
    self.denoised = denoised
  }
}

/// Whether a multistep solver lowers its order over the last steps, which on coarse grids are the longest.
public enum FinalOrder: String, Sendable, Hashable, Codable, CaseIterable {
  /// The order stays.
  case kept
  /// The last step is of order one, the one before of order two, and so on.
  case lowered
  /// As ``lowered`` where the last step leads to clean data.
  case loweredToClean = "lowered-to-clean"
  /// As ``lowered`` where the steps are fewer than 15 in all (diffusers' `lower_order_final`).
  case loweredBelow15 = "lowered-below-15"
  /// The last step is of order one (diffusers' `euler_at_final`).
  case firstOrderLast = "first-order-last"
  /// As ``loweredBelow15``, and the last step always of order one: both of diffusers' options.
  case loweredBelow15FirstOrderLast = "lowered-below-15-first-order-last"

  /// The highest order over a leg.
  func limit(over interval: Interval, stepsDone: Int) -> Int {
    let left = interval.following.count + 1
    switch self {
    case .kept: return .max
    case .lowered: return left
    case .loweredToClean:
      return (interval.following.last ?? interval.to).noise == 0 ? left : .max
    case .loweredBelow15: return stepsDone + left < 15 ? left : .max
    case .firstOrderLast: return left == 1 ? 1 : .max
    case .loweredBelow15FirstOrderLast: return left == 1 || stepsDone + left < 15 ? left : .max
    }
  }
}
