/// A solver as it is offered by name: what `diffusion samplers` lists and `--sampler` takes.
public struct SolverEntry: Sendable {
  /// The name, in lower case: `dpm++2m`.
  public let name: String
  /// What other tools call it, as they write it: `DPM++ 2M`, `dpmpp_2m`, `DPMSolverMultistepScheduler`.
  public let aliases: [String]
  /// How often the denoiser is asked.
  public let evaluations: Evaluations
  /// The global order on the probability-flow ODE that the paper states; for a stochastic solver without noise. `nil`
  /// where there is none to measure (distilled models).
  public let order: Int?
  /// The order of mean and variance as steps get shorter, of a solver that nears the reverse SDE with its default options;
  /// the strong order is 1 for all of those, the noise being additive. `nil` for any other.
  public let weakOrder: Int?
  /// Whether it draws noise with its default options.
  public let isStochastic: Bool
  /// Where it comes from: authors, year, arXiv number, equation or algorithm.
  public let source: String
  /// Which of the options it takes.
  public let options: Set<SolverOptions.Key>
  /// The orders that ``SolverOptions/order`` may ask for.
  public let orders: ClosedRange<Int>
  /// What is to be sampled with; see ``Sampler``.
  public let make: @Sendable (SolverOptions) -> Sampler

  /// How often a solver asks the denoiser.
  public enum Evaluations: Sendable, Hashable {
    /// So many times a step, the last step to clean data apart.
    case perStep(Int)
    /// As often as the error asks for.
    case adaptive
  }

  /// An entry.
  public init(
    _ name: String, aliases: [String] = [], evaluations: Evaluations = .perStep(1), order: Int?,
    weakOrder: Int? = nil, isStochastic: Bool = false, options: Set<SolverOptions.Key> = [],
    orders: ClosedRange<Int> = 1...1, source: String,
    make: @escaping @Sendable (SolverOptions) -> Sampler
  ) {
    self.name = name
    self.aliases = aliases
    self.evaluations = evaluations
    self.order = order
    self.weakOrder = weakOrder
    self.isStochastic = isStochastic
    self.options = options
    self.orders = orders
    self.source = source
    self.make = make
  }
}

/// A solver, and how it goes over the levels that a run asks for.
public struct Sampler: Sendable {
  /// Makes the steps.
  public let solver: any Solver
  /// Whether noise is read off the estimate before it was bounded (``Thresholded/keepsDirection``): so it is in the references
  /// of DDIM and its kin, and in no other.
  public let keepsDirection: Bool
  /// Whether it goes by consistency functions (``ConsistencyBoundary``), as latent consistency models were distilled to be.
  public let needsBoundary: Bool
  /// The legs that are gone, from those that a grid gives: as they are, or with legs put in (Restart).
  public let plan: @Sendable (SamplingPlan) -> SamplingPlan

  /// A solver over the legs as `plan` changes them.
  public init(
    _ solver: any Solver, keepsDirection: Bool = false, needsBoundary: Bool = false,
    plan: @escaping @Sendable (SamplingPlan) -> SamplingPlan = { $0 }
  ) {
    self.solver = solver
    self.keepsDirection = keepsDirection
    self.needsBoundary = needsBoundary
    self.plan = plan
  }
}
