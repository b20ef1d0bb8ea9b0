extension SolverCatalog {
  /// Solvers of the probability-flow ODE.
  static let deterministic: [SolverEntry] =
    oneStep + multistep + pseudoMultistep + singlestep + exponentialMultistep + predictorCorrector
    + adaptive

  private static let churn: Set<SolverOptions.Key> = [
    .churn, .lowestRatio, .highestRatio, .noiseScale,
  ]

  /// Methods over the ratio of noise to signal that begin anew with each step.
  private static let oneStep: [SolverEntry] = [
    SolverEntry(
      "ddim", aliases: ["DDIMScheduler", "DDIM", "ddim_trailing"], order: 1, options: [.eta],
      source: "Song, Meng and Ermon 2020, arXiv:2010.02502, equation 12"
    ) { Sampler(DDIM(eta: $0.eta ?? 0), keepsDirection: true) },
    SolverEntry(
      "ddim-inverse", aliases: ["DDIMInverseScheduler", "uni_inversion"], order: 1,
      source: "Song, Meng and Ermon 2020, arXiv:2010.02502, equation 14"
    ) {
      Sampler(DDIMInversion(bound: $0.bound), keepsDirection: true, plan: \.reversed)
    },
    SolverEntry(
      "euler",
      aliases: [
        "sample_euler", "EulerDiscreteScheduler", "EDMEulerScheduler", "flow_euler",
        "FlowMatchEulerDiscreteScheduler",
      ],
      order: 1, options: churn,
      source: "Karras et al. 2022, arXiv:2206.00364, algorithm 2"
    ) { Sampler(Euler(churn: $0.churning)) },
    SolverEntry(
      "euler-ge", aliases: ["gradient_estimation", "euler_ge"], order: 1,
      source: "Permenter and Yuan 2023, arXiv:2306.04848, algorithm 2"
    ) { _ in Sampler(GradientEstimation()) },
    SolverEntry(
      "heun",
      aliases: [
        "sample_heun", "HeunDiscreteScheduler", "flow_heun", "FlowMatchHeunDiscreteScheduler",
      ],
      evaluations: .perStep(2), order: 2, options: churn,
      source: "Karras et al. 2022, arXiv:2206.00364, algorithm 2"
    ) { Sampler(SecondOrderRungeKutta(churn: $0.churning)) },
    SolverEntry(
      "midpoint", evaluations: .perStep(2), order: 2, options: churn,
      source: "Karras et al. 2022, arXiv:2206.00364, algorithm 3 with alpha 1/2"
    ) { Sampler(SecondOrderRungeKutta(alpha: 0.5, churn: $0.churning)) },
    SolverEntry(
      "ralston", evaluations: .perStep(2), order: 2, options: churn,
      source: "Karras et al. 2022, arXiv:2206.00364, algorithm 3 with alpha 2/3"
    ) { Sampler(SecondOrderRungeKutta(alpha: 2.0 / 3, churn: $0.churning)) },
  ]

  /// Polynomials in the ratio of noise to signal through the slopes of several steps.
  private static let multistep: [SolverEntry] = [
    SolverEntry(
      "lms", aliases: ["LMS", "sample_lms", "LMSDiscreteScheduler", "ipndm_v"], order: 4,
      options: [.order, .finalOrder], orders: 1...4,
      source: "Adams and Bashforth; k-diffusion, sample_lms; arXiv:2204.13902, section 3.3"
    ) { Sampler(AdamsBashforth(order: $0.order ?? 4, finalOrder: $0.finalOrder ?? .kept)) }
  ]

  /// Adams and Bashforth's weights for even steps, on any grid.
  private static let pseudoMultistep: [SolverEntry] = [
    SolverEntry(
      "pndm", aliases: ["PNDMScheduler", "F-PNDM"], order: 2, options: [.averaged],
      source: "Liu et al. 2022, arXiv:2202.09778, algorithm 2"
    ) {
      Sampler(
        PseudoMultistep(beginning: .rungeKutta, averaged: $0.averaged ?? .noise),
        plan: PseudoMultistep.plan)
    },
    SolverEntry(
      "plms", aliases: ["PLMS", "PLMSSampler", "S-PNDM"], order: 2, options: [.averaged],
      source: "Liu et al. 2022, arXiv:2202.09778; CompVis, PLMSSampler"
    ) {
      Sampler(PseudoMultistep(beginning: .improvedEuler, averaged: $0.averaged ?? .noise))
    },
    SolverEntry(
      "ipndm", aliases: ["IPNDMScheduler"], order: 4, options: [.order], orders: 1...4,
      source: "Zhang and Chen 2022, arXiv:2204.13902; order 4 over even ratios, else 2"
    ) { Sampler(PseudoMultistep(slopes: $0.order ?? 4, beginning: .lowerOrder)) },
  ]

  /// Exponential integrators that begin anew with each step.
  private static let singlestep: [SolverEntry] = [
    SolverEntry(
      "dpm2", aliases: ["DPM2", "dpm_2", "sample_dpm_2", "KDPM2DiscreteScheduler"],
      evaluations: .perStep(2), order: 2,
      source: "k-diffusion, sample_dpm_2; Lu et al. 2022, arXiv:2206.00927, algorithm 1"
    ) { _ in Sampler(ExponentialSinglestep(.noise)) },
    SolverEntry(
      "dpm-solver-3", aliases: ["DPM-Solver-3", "dpmsolver"], evaluations: .perStep(3), order: 3,
      source: "Lu et al. 2022, arXiv:2206.00927, algorithm 2"
    ) { _ in Sampler(ExponentialSinglestep(.noise, order: 3)) },
    SolverEntry(
      "dpm++2s", aliases: ["DPM++ 2S", "dpmpp_2s"], evaluations: .perStep(2), order: 2,
      source: "Lu et al. 2022, arXiv:2211.01095, algorithm 1"
    ) { _ in Sampler(ExponentialSinglestep(.data)) },
    SolverEntry(
      "dpm++3s", aliases: ["DPM++ 3S"], evaluations: .perStep(3), order: 3,
      source: "Lu et al. 2022, arXiv:2211.01095, appendix; the authors' dpm_solver_pytorch"
    ) { _ in Sampler(ExponentialSinglestep(.data, order: 3)) },
    SolverEntry(
      "res-2s", aliases: ["res_2s"], evaluations: .perStep(2), order: 2,
      source: "Zhang et al. 2023, arXiv:2308.02157, algorithm 2"
    ) { _ in Sampler(ExponentialSinglestep(.data, rule: .exact)) },
    SolverEntry(
      "dpm-single", aliases: ["DPMSolverSinglestepScheduler"], order: 2,
      options: [.order, .rule, .finalOrder], orders: 1...3,
      source: "Lu et al. 2022, arXiv:2211.01095; diffusers, order over legs"
    ) {
      Sampler(
        SinglestepGroups(
          .data, order: $0.order ?? 2, rule: $0.rule ?? .middle,
          lowersFinalOrder: $0.finalOrder != .kept))
    },
    SolverEntry(
      "dpm-fast", aliases: ["DPM fast", "dpm_fast", "sample_dpm_fast"], order: 3,
      source: "Lu et al. 2022, arXiv:2206.00927, section 3.4; k-diffusion, dpm_solver_fast"
    ) { _ in Sampler(SinglestepGroups(.noise, order: 3), plan: SinglestepGroups.fast) },
  ]

  /// Polynomials in lambda through the slopes of several steps.
  private static let exponentialMultistep: [SolverEntry] = [
    SolverEntry(
      "dpm-multi", aliases: ["DPM-Solver multistep"], order: 2,
      options: [.order, .rule, .finalOrder], orders: 1...3,
      source: "Lu et al. 2022, arXiv:2206.00927; diffusers, algorithm_type dpmsolver"
    ) { multistep(.noise, $0) },
    SolverEntry(
      "deis", aliases: ["DEISMultistepScheduler", "deis_3m"], order: 3,
      options: [.order, .finalOrder], orders: 1...3,
      source: "Zhang and Chen 2022, arXiv:2204.13902, section 3.3"
    ) {
      Sampler(
        ExponentialMultistep(
          .noise, order: $0.order ?? 3, rule: .exact, finalOrder: $0.finalOrder ?? .kept))
    },
    SolverEntry(
      "dpm++2m",
      aliases: [
        "DPM++ 2M", "dpmpp_2m", "sample_dpmpp_2m", "DPMSolverMultistepScheduler",
        "EDMDPMSolverMultistepScheduler",
      ],
      order: 2, options: [.order, .rule, .finalOrder], orders: 1...3,
      source: "Lu et al. 2022, arXiv:2211.01095, algorithm 2"
    ) { multistep(.data, $0) },
    SolverEntry(
      "dpm++3m", aliases: ["DPM++ 3M"], order: 3, options: [.rule, .finalOrder],
      source: "Lu et al. 2022, arXiv:2211.01095, appendix"
    ) { multistep(.data, $0, usually: 3) },
    SolverEntry(
      "res-multistep", aliases: ["res_multistep", "sample_res_multistep"], order: 2,
      source: "Zhang et al. 2023, arXiv:2308.02157, algorithm 4"
    ) { _ in Sampler(ExponentialMultistep(.data, order: 2, rule: .exact)) },
  ]

  private static let predictorCorrector: [SolverEntry] = [
    SolverEntry(
      "unipc", aliases: ["UniPC", "uni_pc_bh2", "UniPCMultistepScheduler"], order: 3,
      options: uniPC, orders: 1...3,
      source: "Zhao et al. 2023, arXiv:2302.04867, algorithms 5 to 8 with B(h) = exp(h) - 1"
    ) { uniPC($0, .middle) },
    SolverEntry(
      "unipc-bh1", aliases: ["uni_pc_bh1"], order: 3, options: uniPC, orders: 1...3,
      source: "Zhao et al. 2023, arXiv:2302.04867, algorithms 5 to 8 with B(h) = h"
    ) { uniPC($0, .plain) },
  ]

  /// Methods that choose their steps, for each sample by itself.
  private static let adaptive: [SolverEntry] = [
    SolverEntry(
      "dpm-adaptive", aliases: ["DPM adaptive", "dpm_adaptive", "sample_dpm_adaptive"],
      evaluations: .adaptive, order: 3, options: [.order, .relativeTolerance, .absoluteTolerance],
      orders: 2...3,
      source: "Lu et al. 2022, arXiv:2206.00927, appendix C; k-diffusion, dpm_solver_adaptive"
    ) {
      Sampler(
        DPMAdaptive(
          order: $0.order ?? 3, relative: $0.relativeTolerance ?? 0.05,
          absolute: $0.absoluteTolerance ?? 0.0078),
        plan: DPMAdaptive.plan)
    },
    SolverEntry(
      "rk45", aliases: ["ode", "dopri5", "RK45"], evaluations: .adaptive, order: 5,
      options: [.relativeTolerance, .absoluteTolerance],
      source: "Song et al. 2021, arXiv:2011.13456, section 4.3; Dormand and Prince 1980"
    ) {
      Sampler(
        DormandPrince(
          relative: $0.relativeTolerance ?? 1e-5, absolute: $0.absoluteTolerance ?? 1e-5),
        plan: DormandPrince.plan)
    },
  ]

  /// DPM-Solver's weights at order two, the exact ones at three.
  private static func multistep(
    _ coordinates: Coordinates, _ options: SolverOptions, usually usual: Int = 2
  ) -> Sampler {
    let order = options.order ?? usual
    return Sampler(
      ExponentialMultistep(
        coordinates, order: order, rule: options.rule ?? (order == 2 ? .middle : .exact),
        finalOrder: options.finalOrder ?? .kept))
  }

  private static let uniPC: Set<SolverOptions.Key> = [
    .order, .coordinates, .finalOrder, .uncorrected,
  ]

  private static func uniPC(_ options: SolverOptions, _ rule: LinearRule) -> Sampler {
    Sampler(
      UniPC(
        options.coordinates ?? .data, predictorOrder: options.order ?? 2, rule: rule,
        uncorrectedSteps: options.uncorrectedSteps ?? [],
        finalOrder: options.finalOrder ?? .loweredToClean))
  }
}
