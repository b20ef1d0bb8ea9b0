/// How networks are told a time between two timesteps.
public enum TimestepRounding: String, Sendable, Hashable, Codable {
  /// As it is.
  case none
  /// The nearest timestep, the even one of two, as diffusers' multistep solvers have it on Karras' grid.
  case nearest
  /// The timestep before, where diffusers converts to integers.
  case down

  /// A time, rounded.
  public func applied(to time: Double) -> Double {
    switch self {
    case .none: time
    case .nearest: time.rounded(.toNearestOrEven)
    case .down: time.rounded(.down)
    }
  }
}
