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

extension SolverOptions {
  /// The first option that a solver does not take, or whose value no solver takes, and why.
  public func refused(by entry: SolverEntry) -> (part: String, problem: String)? {
    let given: [(Key, String, Bool)] = [
      (.eta, "eta", eta != nil), (.noiseScale, "noise-scale", noiseScale != 1),
      (.order, "order", order != nil), (.churn, "churn", churn != 0),
    ]
    for (key, name, isGiven) in given where isGiven && !entry.options.contains(key) {
      return (name, "the sampler \(entry.name) has no such option; leave it out")
    }
    if let eta, !(0...1).contains(eta) { return ("eta", "expected 0 to 1, found \(eta)") }
    if !(noiseScale >= 0 && noiseScale.isFinite) {
      return ("noise-scale", "expected a number of 0 or more, found \(noiseScale)")
    }
    if let order, !entry.orders.contains(order) {
      return (
        "order",
        "\(entry.name) has orders \(entry.orders.lowerBound) to \(entry.orders.upperBound), "
          + "found \(order)"
      )
    }
    if !(churn >= 0 && churn.isFinite) {
      return ("churn", "expected a number of 0 or more, found \(churn)")
    }
    return nil
  }
}
