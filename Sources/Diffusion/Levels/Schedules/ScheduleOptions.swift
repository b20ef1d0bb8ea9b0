/// What can be asked of a schedule beyond its name; each entry of the catalogue says what it takes.
public struct ScheduleOptions: Sendable, Hashable, Codable {
  /// The exponent of Karras' grid and its kin; `nil` is the schedule's own.
  public var rho: Double?
  /// The last level before the end, as grids count it (``Process/sigma(of:)``); `nil` is the process's own.
  public var sigmaMin: Double?
  /// The first level, as grids count it; `nil` is the process's own.
  public var sigmaMax: Double?
  /// How far a rectified flow's time is shifted towards noise; `nil` is the process's own.
  public var shift: Double?
  /// Added to the timesteps of leading spacing.
  public var timestepOffset = 0
  /// Whether the last step goes to clean data, or to the least level that the process was trained on.
  public var endsClean = true

  /// The options by name.
  public enum Key: String, Sendable, Hashable, CaseIterable {
    /// ``ScheduleOptions/rho``.
    case rho
    /// ``ScheduleOptions/sigmaMin`` and ``ScheduleOptions/sigmaMax``.
    case sigmas
    /// ``ScheduleOptions/timestepOffset``.
    case timestepOffset
  }

  /// Options; the defaults are the schedule's and the process's own.
  public init(
    rho: Double? = nil, sigmaMin: Double? = nil, sigmaMax: Double? = nil, shift: Double? = nil,
    timestepOffset: Int = 0, endsClean: Bool = true
  ) {
    self.rho = rho
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.shift = shift
    self.timestepOffset = timestepOffset
    self.endsClean = endsClean
  }
}
