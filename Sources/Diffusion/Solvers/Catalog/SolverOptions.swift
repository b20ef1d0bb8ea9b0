/// What can be asked of a solver beyond its name; each entry of the catalogue says what it takes.
public struct SolverOptions: Sendable, Hashable, Codable {
  /// How much noise is put in anew, from 0 (none) to 1; `nil` is the solver's own.
  public var eta: Double?
  /// What the noise is multiplied by (k-diffusion's `s_noise`); 1 is the theory's.
  public var noiseScale: Double
  /// The order, where the solver has several; `nil` is its default.
  public var order: Int?
  /// How a learned variance is read (ancestral sampling alone).
  public var variance: ReverseVariance
  /// Noise added before each step (Karras et al. 2022, algorithm 2): `S_churn` over the whole run.
  public var churn: Double

  /// The options by name.
  public enum Key: String, Sendable, Hashable, CaseIterable {
    /// ``SolverOptions/eta``.
    case eta
    /// ``SolverOptions/noiseScale``.
    case noiseScale
    /// ``SolverOptions/order``.
    case order
    /// ``SolverOptions/variance``.
    case variance
    /// ``SolverOptions/churn``.
    case churn
  }

  /// Options.
  public init(
    eta: Double? = nil, noiseScale: Double = 1, order: Int? = nil,
    variance: ReverseVariance = .fixedSmall, churn: Double = 0
  ) {
    self.eta = eta
    self.noiseScale = noiseScale
    self.order = order
    self.variance = variance
    self.churn = churn
  }
}
