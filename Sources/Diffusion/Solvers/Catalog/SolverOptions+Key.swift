extension SolverOptions {
  /// The options that can be asked for, by name.
  public enum Key: String, Sendable, Hashable, CaseIterable {
    /// ``SolverOptions/eta``.
    case eta
    /// ``SolverOptions/order``.
    case order
    /// ``SolverOptions/correctorOrder``.
    case correctorOrder = "corrector-order"
    /// ``SolverOptions/rule``.
    case rule
    /// ``SolverOptions/coordinates``.
    case coordinates
    /// ``SolverOptions/averaged``.
    case averaged
    /// ``SolverOptions/finalOrder``.
    case finalOrder = "final-order"
    /// ``SolverOptions/uncorrectedSteps``.
    case uncorrected
    /// ``SolverOptions/noiseScale``.
    case noiseScale = "noise-scale"
    /// ``SolverOptions/churn``.
    case churn
    /// ``SolverOptions/lowestRatio``.
    case lowestRatio = "noise-from"
    /// ``SolverOptions/highestRatio``.
    case highestRatio = "noise-to"
    /// ``SolverOptions/relativeTolerance``.
    case relativeTolerance = "rtol"
    /// ``SolverOptions/absoluteTolerance``.
    case absoluteTolerance = "atol"
    /// ``SolverOptions/signalToNoise``.
    case signalToNoise = "snr"
    /// ``SolverOptions/levelSteps``.
    case levelSteps = "level-steps"
    /// ``SolverOptions/levelStepSize``.
    case levelStepSize = "level-step-size"
    /// ``SolverOptions/restartLowest``.
    case restartLowest = "restart-from"
    /// ``SolverOptions/restartHighest``.
    case restartHighest = "restart-to"
    /// ``SolverOptions/restartLevels``.
    case restartLevels = "restart-levels"
    /// ``SolverOptions/restartTimes``.
    case restartTimes = "restart-times"
  }
}

extension SolverOptions.Key {
  /// What it does, in a few words.
  public var purpose: String {
    switch self {
    case .eta: "noise put in anew: 0 none, 1 all of the theory's"
    case .order: "the solver's order"
    case .correctorOrder: "the corrector's order"
    case .rule: "how the slope of a straight line is weighed"
    case .coordinates: "what is integrated"
    case .averaged: "what is averaged over steps"
    case .finalOrder: "what happens to the order over the last steps"
    case .uncorrected: "steps, counted from 0, without the corrector"
    case .noiseScale: "what the noise is multiplied by (S_noise)"
    case .churn: "noise added before each step, over the whole run (S_churn)"
    case .lowestRatio: "least ratio of noise to signal at which noise is added (S_tmin)"
    case .highestRatio: "largest ratio of noise to signal at which noise is added (S_tmax)"
    case .relativeTolerance: "relative tolerance of a step"
    case .absoluteTolerance: "absolute tolerance of a step"
    case .signalToNoise: "signal-to-noise ratio of Langevin steps"
    case .levelSteps: "Langevin steps a level"
    case .levelStepSize: "size of Langevin steps at the last level"
    case .restartLowest: "ratio of noise to signal from which it goes back up"
    case .restartHighest: "ratio of noise to signal that it goes back up to"
    case .restartLevels: "levels of the way down again"
    case .restartTimes: "how often it goes back up"
    }
  }

  /// What its value may be, in a few words.
  public var expected: String { field.expected }

  /// How it is read and checked.
  var field: SolverOptions.Field {
    switch self {
    case .eta: .number(\.eta, 0...1)
    case .order: .integer(\.order, from: 1)
    case .correctorOrder: .integer(\.correctorOrder, from: 0, to: 4)
    case .rule: .word(\.rule)
    case .coordinates: .word(\.coordinates)
    case .averaged: .word(\.averaged)
    case .finalOrder: .word(\.finalOrder)
    case .uncorrected: .steps(\.uncorrectedSteps)
    case .noiseScale: .number(\.noiseScale, 0...(.greatestFiniteMagnitude))
    case .churn: .number(\.churn, 0...(.greatestFiniteMagnitude))
    case .lowestRatio: .positive(\.lowestRatio)
    case .highestRatio: .positive(\.highestRatio)
    case .relativeTolerance: .positive(\.relativeTolerance)
    case .absoluteTolerance: .positive(\.absoluteTolerance)
    case .signalToNoise: .positive(\.signalToNoise)
    case .levelSteps: .integer(\.levelSteps, from: 1)
    case .levelStepSize: .positive(\.levelStepSize)
    case .restartLowest: .positive(\.restartLowest)
    case .restartHighest: .positive(\.restartHighest)
    case .restartLevels: .integer(\.restartLevels, from: 2)
    case .restartTimes: .integer(\.restartTimes, from: 0)
    }
  }
}
