/// Why a trajectory stopped before its end.
public enum TrajectoryError<Failure: Error>: Error {
  /// The denoiser failed in a step.
  case denoiser(Failure, step: Int, level: NoiseLevel)
  /// A value of the estimate or the sample is infinite or not a number after a step from `level`.
  case nonFinite(step: Int, level: NoiseLevel)
  /// The task that ran the trajectory was cancelled before a step.
  case cancelled(step: Int)
}

extension TrajectoryError: CustomStringConvertible {
  /// One line that says what happened and where.
  public var description: String {
    switch self {
    case .denoiser(let failure, let step, let level):
      "step \(step + 1), from \(level): \(failure)"
    case .nonFinite(let step, let level):
      "step \(step + 1), from \(level): a value is infinite or not a number; "
        + "the model's output is not usable at this level"
    case .cancelled(let step): "cancelled before step \(step + 1)"
    }
  }
}
