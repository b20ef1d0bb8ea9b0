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
      options: [.signalToNoise, .levelSteps],
      source: "Song et al. 2021, arXiv:2011.13456, algorithm 1: reverse diffusion and Langevin"
    ) { Sampler(PredictorCorrector(ReverseDiffusion(), $0.corrector())) },
    SolverEntry(
      "ancestral-corrector", aliases: ["pc-ancestral", "AncestralSamplingPredictor"],
      evaluations: .perStep(2), order: nil, isStochastic: true,
      options: [.signalToNoise, .levelSteps],
      source: "Song et al. 2021, arXiv:2011.13456, algorithm 1: ancestral and Langevin"
    ) { Sampler(PredictorCorrector(Ancestral(variance: $0.variance), $0.corrector())) },
    SolverEntry(
      "annealed-corrector", aliases: ["pc-ald", "AnnealedLangevinDynamics"],
      evaluations: .perStep(2), order: nil, isStochastic: true,
      options: [.signalToNoise, .levelSteps],
      source: "Song et al. 2021, arXiv:2011.13456, algorithm 1: with annealed Langevin"
    ) { Sampler(PredictorCorrector(ReverseDiffusion(), $0.corrector(.level))) },
    SolverEntry(
      "annealed-langevin", aliases: ["ald", "anneal_Langevin_dynamics", "ncsn"],
      evaluations: .perStep(100), order: nil, isStochastic: true,
      options: [.levelSteps, .levelStepSize],
      source: "Song and Ermon 2019, arXiv:1907.05600, algorithm 1"
    ) {
      Sampler(AnnealedLangevin(epsilon: $0.levelStepSize ?? 2e-5, count: $0.levelSteps ?? 100))
    },
  ]
}
