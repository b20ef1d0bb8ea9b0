extension SolverCatalog {
  /// Solvers of the reverse SDE, and other samplers that draw noise.
  static let stochastic: [SolverEntry] = [
    SolverEntry(
      "ddpm", aliases: ["DDPMScheduler", "ancestral"], order: 1, isStochastic: true,
      options: [.variance],
      source: "Ho, Jain and Abbeel 2020, arXiv:2006.11239, algorithm 2"
    ) { Sampler(Ancestral(variance: $0.variance)) }
  ]
}
