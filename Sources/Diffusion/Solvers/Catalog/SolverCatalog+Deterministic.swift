extension SolverCatalog {
  /// Solvers of the probability-flow ODE.
  static let deterministic: [SolverEntry] = [
    SolverEntry(
      "ddim", aliases: ["DDIMScheduler", "DDIM"], order: 1, options: [.eta],
      source: "Song, Meng and Ermon 2020, arXiv:2010.02502, equation 12"
    ) { Sampler(DDIM(eta: $0.eta ?? 0)) }
  ]
}
