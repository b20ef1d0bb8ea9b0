/// A process whose type is known only when the program runs, as a model's configuration names it.
public struct AnyProcess: Process {
  /// The process itself.
  public let base: any Process

  /// A process, its type forgotten.
  public init(_ base: any Process) { self.base = (base as? AnyProcess)?.base ?? base }

  /// The base's.
  public var times: ClosedRange<Double> { base.times }
  /// The base's.
  public func level(at time: Double) -> NoiseLevel { base.level(at: time) }
  /// The base's.
  public func time(of level: NoiseLevel) -> Double { base.time(of: level) }
  /// The base's.
  public func drift(at time: Double) -> Double { base.drift(at: time) }
  /// The base's.
  public func squaredDiffusion(at time: Double) -> Double { base.squaredDiffusion(at: time) }
  /// The base's.
  public func ownLevel(of level: NoiseLevel) -> NoiseLevel { base.ownLevel(of: level) }
  /// The base's.
  public func timestep(at time: Double) -> Double { base.timestep(at: time) }
  /// The base's.
  public func time(ofTimestep timestep: Double) -> Double { base.time(ofTimestep: timestep) }
}
