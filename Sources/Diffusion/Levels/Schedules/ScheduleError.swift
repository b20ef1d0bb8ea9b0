/// Why a schedule cannot be laid out as asked.
public enum ScheduleError: Error, Equatable {
  /// No schedule has the name.
  case unknown(String)
  /// The number of steps is not possible.
  case steps(Int, allowed: ClosedRange<Int>, schedule: String)
  /// A level is needed that is finite, and the process begins with noise alone.
  case startsWithoutSignal(schedule: String)
  /// The first level is not above the last, or one is not above 0.
  case range(from: Double, to: Double)
  /// The options of a run do not fit the schedule or the process.
  case option(String, expected: String)
}

extension ScheduleError: CustomStringConvertible {
  /// One line that says what was expected, what was found and what to do.
  public var description: String {
    switch self {
    case .unknown(let name):
      "there is no schedule '\(name)': give one of "
        + ScheduleCatalog.all.map(\.name).joined(separator: ", ")
        + ", or falling levels separated by commas"
    case .steps(let count, let allowed, let schedule):
      "\(count) steps of the schedule \(schedule): give \(allowed.lowerBound) to "
        + "\(allowed.upperBound)"
    case .startsWithoutSignal(let schedule):
      "the schedule \(schedule) begins at a level with some signal, and the model's process begins "
        + "with none: give the largest level, or take trailing or linspace"
    case .range(let first, let last):
      "levels from \(first) to \(last): they are to fall, and to be above 0"
    case .option(let name, let expected): "\(name): expected \(expected)"
    }
  }
}
