import Foundation

/// The learning rate over the steps of a run: a linear warm-up, then constant or falling.
public struct LearningRateSchedule: Codable, Sendable, Equatable {
  /// How the rate goes on after the warm-up.
  public enum Shape: String, Codable, Sendable, CaseIterable {
    /// It stays.
    case constant
    /// It falls in a straight line.
    case linear
    /// It falls along half a cosine (Loshchilov and Hutter, "SGDR", 2017).
    case cosine
  }

  /// The rate after the warm-up.
  public var peak = 1e-4
  /// How the rate goes on from there.
  public var shape = Shape.constant
  /// Over how many steps the rate rises in a straight line to ``peak``.
  public var warmUpSteps = 0
  /// The share of ``peak`` that a falling rate ends at.
  public var finalShare = 0.0

  /// A schedule.
  public init(
    peak: Double = 1e-4, shape: Shape = .constant, warmUpSteps: Int = 0, finalShare: Double = 0
  ) {
    self.peak = peak
    self.shape = shape
    self.warmUpSteps = warmUpSteps
    self.finalShare = finalShare
  }

  /// The rate of step `step`, counted from 0, of a run of `total` steps.
  public func rate(atStep step: Int, of total: Int) -> Double {
    if step < warmUpSteps { return peak * Double(step + 1) / Double(warmUpSteps + 1) }
    let share = Double(step - warmUpSteps) / Double(max(1, total - warmUpSteps))
    let progress = min(1, max(0, share))
    let height =
      switch shape {
      case .constant: 1.0
      case .linear: 1 - progress
      case .cosine: (1 + cos(.pi * progress)) / 2
      }
    return peak * (finalShare + (1 - finalShare) * height)
  }
}
