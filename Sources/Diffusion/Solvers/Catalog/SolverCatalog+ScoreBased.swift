extension SolverCatalog {
  /// Samplers of Song et al. 2021 and of the score-matching papers before it.
  static let scoreBased: [SolverEntry] = [
    SolverEntry(
      "euler-maruyama", aliases: ["EulerMaruyamaPredictor", "em"], order: 1, weakOrder: 1,
      isStochastic: true,
      source: "Song et al. 2021, arXiv:2011.13456, equation 6"
    ) { _ in Sampler(EulerMaruyama()) },
    SolverEntry(
      "reverse-diffusion", aliases: ["ReverseDiffusionPredictor"], order: 1, weakOrder: 1,
      isStochastic: true,
      source: "Song et al. 2021, arXiv:2011.13456, equation 46"
    ) { _ in Sampler(ReverseDiffusion()) },
    SolverEntry(
      "predictor-corrector", aliases: ["pc", "ScoreSdeVeScheduler", "LangevinCorrector"],
      evaluations: .perStep(2), order: nil, isStochastic: true,
      source: "Song et al. 2021, arXiv:2011.13456, algorithm 1: reverse diffusion and Langevin"
    ) { _ in Sampler(PredictorCorrector(ReverseDiffusion())) },
    SolverEntry(
      "ancestral-corrector", aliases: ["pc-ancestral", "AncestralSamplingPredictor"],
      evaluations: .perStep(2), order: nil, isStochastic: true, options: [.variance],
      source: "Song et al. 2021, arXiv:2011.13456, algorithm 1: ancestral and Langevin"
    ) { Sampler(PredictorCorrector(Ancestral(variance: $0.variance))) },
    SolverEntry(
      "annealed-corrector", aliases: ["pc-ald", "AnnealedLangevinDynamics"],
      evaluations: .perStep(2), order: nil, isStochastic: true,
      source: "Song et al. 2021, arXiv:2011.13456, algorithm 1: with annealed Langevin"
    ) { _ in Sampler(PredictorCorrector(ReverseDiffusion(), Langevin(size: .level))) },
    SolverEntry(
      "annealed-langevin", aliases: ["ald", "anneal_Langevin_dynamics", "ncsn"],
      evaluations: .perStep(100), order: nil, isStochastic: true,
      source: "Song and Ermon 2019, arXiv:1907.05600, algorithm 1"
    ) { _ in Sampler(AnnealedLangevin()) },
  ]
}
