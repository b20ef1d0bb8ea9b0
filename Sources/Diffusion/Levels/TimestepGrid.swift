import TensorCore

/// How a few timesteps are chosen from the many that a model was trained on (Lin et al. 2023, table 2), as diffusers
/// rounds them.
public enum TimestepSpacing: String, Sendable, Codable, CaseIterable {
  /// Both ends are taken and the rest evenly between them, rounded to even.
  case linspace
  /// Multiples of the whole quotient, counted from 0: the last training timestep is not reached.
  case leading
  /// Counted down from the last training timestep.
  case trailing

  /// `count` of the timesteps `0..<trainingCount`, falling.
  ///
  /// - Parameters:
  ///   - count: 1 to `trainingCount`.
  ///   - offset: added to each timestep of ``leading`` (diffusers' `steps_offset`, 1 for Stable Diffusion).
  public func timesteps(_ count: Int, of trainingCount: Int, offset: Int = 0) -> [Int] {
    require(
      (1...trainingCount).contains(count), "timesteps",
      "\(count) of \(trainingCount) timesteps: ask for 1 to \(trainingCount)")
    switch self {
    case .linspace:
      // NumPy's linspace of one number is its start.
      let step = count == 1 ? 0 : Double(trainingCount - 1) / Double(count - 1)
      return (0..<count).reversed().map {
        $0 == count - 1 && count > 1
          ? trainingCount - 1 : Int((Double($0) * step).rounded(.toNearestOrEven))
      }
    case .leading:
      let step = trainingCount / count
      let steps = (0..<count).reversed().map { $0 * step + offset }
      require(
        steps[0] < trainingCount, "timesteps",
        "the offset \(offset) leads past the last of \(trainingCount) timesteps")
      return steps
    case .trailing:
      let step = Double(trainingCount) / Double(count)
      return (0..<count).map {
        Int((Double(trainingCount) - Double($0) * step).rounded(.toNearestOrEven)) - 1
      }
    }
  }
}
