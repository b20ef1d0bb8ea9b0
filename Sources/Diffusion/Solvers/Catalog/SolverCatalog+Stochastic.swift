extension SolverCatalog {
  /// Solvers of the reverse SDE, and other samplers that draw noise.
  static let stochastic: [SolverEntry] = ancestral + exponential + scoreBased

  /// A deterministic step to a level below, and noise up from there.
  private static let ancestral: [SolverEntry] = [
    SolverEntry(
      "ddpm", aliases: ["DDPMScheduler", "ancestral"], order: 1, weakOrder: 1, isStochastic: true,
      source: "Ho, Jain and Abbeel 2020, arXiv:2006.11239, algorithm 2"
    ) { Sampler(Ancestral(variance: $0.variance)) },
    SolverEntry(
      "euler-a",
      aliases: [
        "Euler a", "euler_ancestral", "sample_euler_ancestral", "EulerAncestralDiscreteScheduler",
        "euler_ancestral_RF",
      ],
      order: 1, weakOrder: 1, isStochastic: true, options: [.eta, .noiseScale],
      source: "k-diffusion, sample_euler_ancestral; on rectified flow ComfyUI's"
    ) { Sampler(EulerAncestral(eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "dpm2-a",
      aliases: [
        "DPM2 a", "dpm_2_ancestral", "sample_dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler",
      ],
      evaluations: .perStep(2), order: 2, weakOrder: 2, isStochastic: true,
      options: [.eta, .noiseScale],
      source: "k-diffusion, sample_dpm_2_ancestral"
    ) { Sampler(MidpointAncestral(.dpm2, eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "dpm++2s-a",
      aliases: [
        "DPM++ 2S a", "dpmpp_2s_ancestral", "sample_dpmpp_2s_ancestral",
        "dpmpp_2s_ancestral_RF",
      ],
      evaluations: .perStep(2), order: 2, weakOrder: 2, isStochastic: true,
      options: [.eta, .noiseScale],
      source: "Lu et al. 2022, arXiv:2211.01095, algorithm 1; k-diffusion"
    ) { Sampler(MidpointAncestral(.dpmPlusPlus2S, eta: $0.eta ?? 1, noiseScale: $0.scale)) },
  ]

  /// Exponential integrators of the reverse SDE.
  private static let exponential: [SolverEntry] = [
    SolverEntry(
      "dpm++sde",
      aliases: ["DPM++ SDE", "dpmpp_sde", "sample_dpmpp_sde", "DPMSolverSDEScheduler"],
      evaluations: .perStep(2), order: 2, weakOrder: 2, isStochastic: true,
      options: [.eta, .noiseScale],
      source: "Lu et al. 2022, arXiv:2211.01095; k-diffusion, sample_dpmpp_sde"
    ) { Sampler(DPMPlusPlusSDE(eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "dpm++2m-sde",
      aliases: [
        "DPM++ 2M SDE", "dpmpp_2m_sde", "sample_dpmpp_2m_sde", "sde-dpmsolver++",
      ],
      order: 2, weakOrder: 2, isStochastic: true, options: [.eta, .noiseScale],
      source: "Lu et al. 2022, arXiv:2211.01095, appendix B; k-diffusion, midpoint"
    ) { Sampler(DPMPlusPlusMultistepSDE(eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "dpm++2m-sde-heun", aliases: ["DPM++ 2M SDE Heun", "dpmpp_2m_sde_heun"],
      order: 2, weakOrder: 2, isStochastic: true, options: [.eta, .noiseScale],
      source: "k-diffusion, sample_dpmpp_2m_sde, solver_type heun"
    ) { Sampler(DPMPlusPlusMultistepSDE(.heun, eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "dpm++3m-sde", aliases: ["DPM++ 3M SDE", "dpmpp_3m_sde", "sample_dpmpp_3m_sde"],
      order: 2, weakOrder: 2, isStochastic: true, options: [.eta, .noiseScale],
      source: "k-diffusion, sample_dpmpp_3m_sde"
    ) { Sampler(DPMPlusPlusMultistepSDE(.third, eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "dpm++3m-sde-exact", order: 3, weakOrder: 2, isStochastic: true,
      options: [.eta, .noiseScale],
      source: "dpm++3m-sde with the parabola's whole integral"
    ) { Sampler(DPMPlusPlusMultistepSDE(.parabola, eta: $0.eta ?? 1, noiseScale: $0.scale)) },
    SolverEntry(
      "sa-solver", aliases: ["SASolverScheduler", "SA-Solver", "sa_solver"],
      order: 2, weakOrder: 2, isStochastic: true, options: saSolver, orders: 1...4,
      source: "Xue et al. 2023, arXiv:2309.05019, algorithm 1; eta is the paper's tau squared"
    ) { saSolver($0, .pec) },
    SolverEntry(
      "sa-solver-pece", aliases: ["sa_solver_pece"], evaluations: .perStep(2),
      order: 2, weakOrder: 2, isStochastic: true, options: saSolver, orders: 1...4,
      source: "Xue et al. 2023, arXiv:2309.05019, algorithm 1, evaluated again once corrected"
    ) { saSolver($0, .pece) },
    SolverEntry(
      "restart", aliases: ["Restart", "restart_sampler"], evaluations: .perStep(2), order: nil,
      isStochastic: true,
      options: [.restartLowest, .restartHighest, .restartLevels, .restartTimes],
      source: "Xu et al. 2023, arXiv:2306.14878, algorithm 1, with Heun's steps"
    ) { Sampler(SecondOrderRungeKutta(), plan: $0.restart.applied) },
  ]

  private static let saSolver: Set<SolverOptions.Key> = [
    .eta, .order, .correctorOrder, .finalOrder, .lowestRatio, .highestRatio,
  ]

  private static func saSolver(_ options: SolverOptions, _ mode: SASolver.Mode) -> Sampler {
    let order = options.order ?? 2
    let tau = (options.eta ?? 1).squareRoot()
    return Sampler(
      SASolver(
        predictorOrder: order, correctorOrder: options.correctorOrder ?? order, tau: tau,
        range: options.ratios, mode: mode, finalOrder: options.finalOrder ?? .lowered))
  }
}
