import Foundation

extension ScheduleCatalog {
  /// Schedules that lay out levels of noise, whatever their timesteps.
  static let sigmas: [ScheduleEntry] = [
    ScheduleEntry(
      "karras", aliases: ["use_karras_sigmas", "get_sigmas_karras", "Karras", "edm"],
      options: [.rho, .sigmas], source: "Karras et al. 2022, arXiv:2206.00364, equation 5"
    ) { context throws(ScheduleError) in
      try context.levels(.karras(rho: context.options.rho ?? 7))
    },
    ScheduleEntry(
      "exponential",
      aliases: ["use_exponential_sigmas", "get_sigmas_exponential", "use_lu_lambdas"],
      options: [.sigmas], source: "k-diffusion; evenly in logSNR, then to clean data"
    ) { context throws(ScheduleError) in try context.levels(.exponential) },
    ScheduleEntry(
      "polyexponential", aliases: ["get_sigmas_polyexponential"], options: [.rho, .sigmas],
      source: "k-diffusion"
    ) { context throws(ScheduleError) in
      try context.levels(.polyexponential(rho: context.options.rho ?? 1))
    },
    ScheduleEntry(
      "logsnr", aliases: ["logSNR"], options: [.sigmas], endsAtLeastLevel: true,
      source: "Lu et al. 2022, arXiv:2206.00927, section 3.4: evenly in logSNR to the least level"
    ) { context throws(ScheduleError) in
      try context.levels(.exponential, count: context.steps + 1)
    },
    ScheduleEntry(
      "vp", aliases: ["get_sigmas_vp"], source: "k-diffusion; Song et al. 2021, arXiv:2011.13456"
    ) { context throws(ScheduleError) in
      let process = VariancePreserving()
      return (0..<context.steps).map { index in
        let share = context.steps == 1 ? 0 : Double(index) / Double(context.steps - 1)
        let level = process.level(at: 1 + share * (1e-3 - 1))
        return context.process.ownLevel(of: level)
      }
    },
    ScheduleEntry(
      "linear", options: [.sigmas], source: "evenly in the noise of Karras et al. 2022, table 1"
    ) { context throws(ScheduleError) in try context.levels(.linear) },
    ScheduleEntry(
      "kl_optimal", aliases: ["KL Optimal"], options: [.sigmas],
      source: "Sabour et al. 2024, arXiv:2404.14507, equation 15"
    ) { context throws(ScheduleError) in try context.levels(.arcTangent) },
    ScheduleEntry(
      "beta_sigmas", aliases: ["use_beta_sigmas"], options: [.sigmas],
      source: "diffusers: the quantiles of Lee et al. 2024, arXiv:2407.12173, over sigma"
    ) { context throws(ScheduleError) in try context.levels(.beta()) },
    ScheduleEntry(
      "ays", aliases: ["Align Your Steps", "ays_sd15", "align_your_steps"],
      source: "Sabour et al. 2024, arXiv:2404.14507, Stable Diffusion 1.5"
    ) { context throws(ScheduleError) in
      AlignYourSteps.stableDiffusion15.sigmas(context.steps).map {
        context.process.ownLevel(of: NoiseLevel(sigma: $0))
      }
    },
    ScheduleEntry(
      "ays_sdxl", aliases: ["align_your_steps_sdxl"],
      source: "Sabour et al. 2024, arXiv:2404.14507, Stable Diffusion XL"
    ) { context throws(ScheduleError) in
      AlignYourSteps.stableDiffusionXL.sigmas(context.steps).map {
        context.process.ownLevel(of: NoiseLevel(sigma: $0))
      }
    },
  ]
}
