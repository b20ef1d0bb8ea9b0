/// A way to choose the levels of a run, and what is known of it.
public struct ScheduleEntry: Sendable {
  /// The name, in lower case: `karras`.
  public let name: String
  /// What other tools call it, as they write it: `sgm_uniform`, `use_karras_sigmas`.
  public let aliases: [String]
  /// Where it comes from: authors, year, arXiv number, equation; or the tool.
  public let source: String
  /// Which of the options it takes.
  public let options: Set<ScheduleOptions.Key>
  /// Whether the last step goes to the least level that the process was trained on, and none to clean data.
  public let endsAtLeastLevel: Bool
  /// How many levels it can give for a process, the end apart.
  let allowed: @Sendable (any Process) -> ClosedRange<Int>
  /// The falling levels of so many steps, the end apart (with it where ``endsAtLeastLevel``).
  let make: @Sendable (ScheduleContext) throws(ScheduleError) -> [NoiseLevel]

  init(
    _ name: String, aliases: [String] = [], options: Set<ScheduleOptions.Key> = [],
    endsAtLeastLevel: Bool = false, source: String,
    allowed: @escaping @Sendable (any Process) -> ClosedRange<Int> = { _ in 1...100_000 },
    make: @escaping @Sendable (ScheduleContext) throws(ScheduleError) -> [NoiseLevel]
  ) {
    self.name = name
    self.aliases = aliases
    self.source = source
    self.options = options
    self.endsAtLeastLevel = endsAtLeastLevel
    self.allowed = allowed
    self.make = make
  }

  /// The levels of `steps` steps over a process, in its own scaling: falling, and the end that they go to.
  ///
  /// The number of levels is one more than that of steps; where a schedule by its rule comes out at another number (`beta`
  /// leaves out timesteps that it meets twice, `ddim_uniform` rounds), it is that rule's.
  public func levels(
    _ steps: Int, of process: any Process, options: ScheduleOptions = ScheduleOptions()
  ) throws(ScheduleError) -> [NoiseLevel] {
    if options.rho != nil, !self.options.contains(.rho) {
      throw .option("rho", expected: "a schedule with an exponent, which \(name) is not")
    }
    if options.sigmaMin != nil || options.sigmaMax != nil, !self.options.contains(.sigmas) {
      throw .option("sigma", expected: "a schedule between two levels, which \(name) is not")
    }
    var process = process
    if let shift = options.shift {
      guard let flow = process as? RectifiedFlow else {
        throw .option("shift", expected: "a model of a rectified flow")
      }
      guard shift > 0 else { throw .option("shift", expected: "a number above 0") }
      process = RectifiedFlow(shift: shift, timeScale: flow.timeScale)
    }
    let allowed = allowed(process)
    guard allowed.contains(steps) else { throw .steps(steps, allowed: allowed, schedule: name) }
    let context = ScheduleContext(process: process, steps: steps, options: options, name: name)
    let levels = try make(context)
    return endsAtLeastLevel ? levels : process.ended(levels, clean: options.endsClean)
  }

  /// The legs of ``levels(_:of:options:)``.
  public func plan(
    _ steps: Int, of process: any Process, options: ScheduleOptions = ScheduleOptions()
  ) throws(ScheduleError) -> SamplingPlan {
    SamplingPlan(levels: try levels(steps, of: process, options: options))
  }
}

extension Process {
  /// The levels and where a run ends: clean data, or the least level that the process was trained on, once.
  func ended(_ levels: [NoiseLevel], clean: Bool) -> [NoiseLevel] {
    let end = clean ? NoiseLevel.clean : level(at: samplingTimes.lowerBound)
    return levels.count > 1 && levels.last == end ? levels : levels + [end]
  }
}

extension Process {
  /// Throws where no level counts as `sigma`.
  func check(sigma: Double) throws(ScheduleError) {
    if level(ofSigma: sigma).signal < 0 {
      throw .option(
        "level \(sigma)", expected: "at most 1, which is noise alone in a rectified flow")
    }
  }
}

/// What a schedule is laid out over.
struct ScheduleContext {
  let process: any Process
  let steps: Int
  let options: ScheduleOptions
  let name: String

  /// The chain, where the process is one.
  var chain: DiscreteProcess? { process as? DiscreteProcess }

  /// The time of the last level before the end.
  var firstTime: Double {
    options.sigmaMin.map { process.time(of: process.level(ofSigma: $0)) }
      ?? process.samplingTimes.lowerBound
  }
  /// The time that a run begins at.
  var lastTime: Double {
    options.sigmaMax.map { process.time(of: process.level(ofSigma: $0)) }
      ?? process.samplingTimes.upperBound
  }

  /// The ends of the run as grids count them.
  func sigmas() throws(ScheduleError) -> (largest: Double, smallest: Double) {
    let largest =
      options.sigmaMax ?? process.sigma(of: process.level(at: process.samplingTimes.upperBound))
    let smallest =
      options.sigmaMin ?? process.sigma(of: process.level(at: process.samplingTimes.lowerBound))
    guard largest.isFinite else { throw .startsWithoutSignal(schedule: name) }
    try process.check(sigma: largest)
    guard largest > smallest, smallest > 0 else { throw .range(from: largest, to: smallest) }
    return (largest, smallest)
  }

  /// The levels of a grid between the ends.
  func levels(_ grid: SigmaGrid, count: Int? = nil) throws(ScheduleError) -> [NoiseLevel] {
    let ends = try sigmas()
    return grid.sigmas(count ?? steps, from: ends.largest, to: ends.smallest).map {
      process.level(ofSigma: $0)
    }
  }

  /// The levels at times, which are timesteps for a chain.
  func levels(at times: [Double]) -> [NoiseLevel] { times.map { process.level(at: $0) } }

  /// Evenly spaced times from the last to the first, both taken.
  func evenTimes(_ count: Int) -> [Double] {
    let (first, last) = (firstTime, lastTime)
    return (0..<count).map {
      count == 1 ? last : last + Double($0) * (first - last) / Double(count - 1)
    }
  }

  /// The levels that a network was trained on, rising; a thousand of a continuous process, as other tools cut it up.
  var table: [NoiseLevel] {
    if let chain { return chain.levels }
    let (first, last) = (process.samplingTimes.lowerBound, process.samplingTimes.upperBound)
    if process is EDM {
      let grid = SigmaGrid.exponential.sigmas(1000, from: last, to: first)
      return grid.reversed().map { process.level(ofSigma: $0) }
    }
    return (1...1000).map { process.level(at: max(first, last * Double($0) / 1000)) }
  }
}
