extension SolverCatalog {
  /// Samplers of models that were distilled to answer in few steps: they follow no differential equation.
  static let distilled: [SolverEntry] = [
    SolverEntry(
      "lcm", aliases: ["LCMScheduler", "sample_lcm"], order: nil, isStochastic: true,
      options: [.noiseScale],
      source: "Luo et al. 2023, arXiv:2310.04378, algorithm 3"
    ) { Sampler(ConsistencySampler(noiseScale: $0.scale), needsBoundary: true) },
    SolverEntry(
      "consistency", aliases: ["CMStochasticIterativeScheduler", "multistep consistency"],
      order: nil, isStochastic: true, options: [.noiseScale],
      source: "Song et al. 2023, arXiv:2303.01469, algorithm 1"
    ) { Sampler(ConsistencySampler(floor: 0.002, noiseScale: $0.scale)) },
    SolverEntry(
      "tcd", aliases: ["TCDScheduler"], order: nil, isStochastic: true, options: [.eta],
      source: "Zheng et al. 2024, arXiv:2402.19159, algorithm 4; eta is the paper's gamma"
    ) {
      // The models that were distilled so are Stable Diffusion's, whose chain gamma is a share of.
      Sampler(
        TrajectoryConsistency(process: DiscreteProcess(.stableDiffusion), gamma: $0.eta ?? 0.3),
        keepsDirection: true)
    },
  ]
}
