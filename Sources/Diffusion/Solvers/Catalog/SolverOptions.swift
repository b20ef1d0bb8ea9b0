/// What can be asked of a solver beyond its name; each entry of the catalogue says what it takes. What is `nil` is the
/// solver's own.
public struct SolverOptions: Sendable, Hashable, Codable {
  /// How much noise is put in anew, from 0 (none) to 1.
  public var eta: Double?
  /// What the noise is multiplied by (k-diffusion's `s_noise`); 1 is the theory's.
  public var noiseScale: Double?
  /// The order, where the solver has several; SA-Solver's predictor's.
  public var order: Int?
  /// The order of SA-Solver's corrector.
  public var correctorOrder: Int?
  /// How the slope of a straight line is weighed.
  public var rule: LinearRule?
  /// What UniPC integrates.
  public var coordinates: Coordinates?
  /// What pseudo multistep methods average.
  public var averaged: PseudoMultistep.Averaged?
  /// What happens to the order over the last steps.
  public var finalOrder: FinalOrder?
  /// The steps, counted from 0, that UniPC does not correct (diffusers' `disable_corrector`).
  public var uncorrectedSteps: [Int]?
  /// Noise added before each step (Karras et al. 2022, algorithm 2): `S_churn` over the whole run.
  public var churn: Double?
  /// The ratios of noise to signal between which noise is added: `S_tmin` and `S_tmax`; SA-Solver's tau is 0 elsewhere.
  public var lowestRatio: Double?, highestRatio: Double?
  /// The tolerances of a solver that chooses its steps.
  public var relativeTolerance: Double?, absoluteTolerance: Double?
  /// The signal-to-noise ratio of a Langevin corrector's steps.
  public var signalToNoise: Double?
  /// Langevin steps a level.
  public var levelSteps: Int?
  /// The size of annealed Langevin dynamics' steps at the last level.
  public var levelStepSize: Double?
  /// ``Restart``'s numbers.
  public var restartLowest: Double?, restartHighest: Double?, restartLevels: Int?
  /// How often ``Restart`` goes back up.
  public var restartTimes: Int?
  /// How a learned variance is read (ancestral sampling alone); a model's, not a user's.
  public var variance: ReverseVariance
  /// What DDIM's inversion bounds clean data to; a model's, not a user's.
  public var bound: Threshold?

  /// Options.
  public init(
    eta: Double? = nil, noiseScale: Double? = nil, order: Int? = nil,
    variance: ReverseVariance = .fixedSmall
  ) {
    self.eta = eta
    self.noiseScale = noiseScale
    self.order = order
    self.variance = variance
  }
}

/// An option that a solver does not take, or a value that it does not.
public struct InvalidSolverOption: Error, Hashable, CustomStringConvertible {
  /// The option's name.
  public let name: String
  /// What was expected, what was found.
  public let problem: String
  /// Both.
  public var description: String { "\(name): \(problem)" }
}

extension SolverOptions {
  /// Sets an option by its name, from text: `order`, `3`.
  public mutating func set(
    _ name: String, to text: String, for entry: SolverEntry
  ) throws(InvalidSolverOption) {
    guard let key = Key(rawValue: name), entry.options.contains(key) else {
      throw Self.notTaken(name, by: entry)
    }
    let field = key.field
    guard field.read(text, &self), field.problem(self) == nil else {
      throw InvalidSolverOption(
        name: name, problem: "expected \(field.expected), found \(text)")
    }
    try checkOrder(for: entry)
  }

  /// Throws for the first option that a solver does not take, or whose value no solver takes.
  public func check(for entry: SolverEntry) throws(InvalidSolverOption) {
    for key in Key.allCases {
      let field = key.field
      guard field.text(self) != nil else { continue }
      if !entry.options.contains(key) { throw Self.notTaken(key.rawValue, by: entry) }
      if let found = field.problem(self) {
        throw InvalidSolverOption(
          name: key.rawValue,
          problem: "expected \(field.expected), found \(found)")
      }
    }
    try checkOrder(for: entry)
    try checkRanges()
  }

  /// What is given, by name and as text: what ``set(_:to:for:)`` takes.
  public var given: [(name: String, text: String)] {
    Key.allCases.compactMap { key in key.field.text(self).map { (key.rawValue, $0) } }
  }

  private func checkOrder(for entry: SolverEntry) throws(InvalidSolverOption) {
    guard let order, !entry.orders.contains(order) else { return }
    throw InvalidSolverOption(
      name: "order",
      problem: "\(entry.name) has \(entry.orders.lowerBound) to "
        + "\(entry.orders.upperBound), found \(order)")
  }

  private func checkRanges() throws(InvalidSolverOption) {
    let usual = Restart()
    let ranges: [(Key, Double, Double)] = [
      (.lowestRatio, lowestRatio ?? 0, highestRatio ?? .infinity),
      (.restartLowest, restartLowest ?? usual.lowest, restartHighest ?? usual.highest),
    ]
    for (key, low, high) in ranges where low >= high {
      throw InvalidSolverOption(
        name: key.rawValue,
        problem: "expected a number below \(high), where the range ends, "
          + "found \(low)")
    }
  }

  private static func notTaken(_ name: String, by entry: SolverEntry) -> InvalidSolverOption {
    let names = entry.optionNames
    let known =
      names.isEmpty ? "it has none" : "it has " + names.joined(separator: ", ")
    return InvalidSolverOption(
      name: name, problem: "the sampler \(entry.name) has no such option; \(known)")
  }
}

extension SolverEntry {
  /// The names of the options that it takes.
  public var optionNames: [String] {
    SolverOptions.Key.allCases.filter(options.contains).map(\.rawValue)
  }
}

// MARK: - What the catalogue's entries read

extension SolverOptions {
  /// What noise is multiplied by.
  var scale: Double { noiseScale ?? 1 }

  /// The noise that is added before each step.
  var churning: Churn {
    Churn(
      churn ?? 0, from: lowestRatio ?? 0, to: highestRatio ?? .infinity, noiseScale: scale)
  }

  /// Where noise is put in.
  var ratios: ClosedRange<Double> {
    (lowestRatio ?? 0)...(highestRatio ?? .infinity)
  }

  /// A Langevin corrector.
  func corrector(_ size: Langevin.StepSize = .norms) -> Langevin {
    Langevin(snr: signalToNoise ?? 0.16, count: levelSteps ?? 1, size: size)
  }

  /// Restarts.
  var restart: Restart {
    let usual = Restart()
    return Restart(
      lowest: restartLowest ?? usual.lowest, highest: restartHighest ?? usual.highest,
      levels: restartLevels ?? usual.levels, times: restartTimes ?? usual.times)
  }
}
