import ArgumentParser
import DiffusionTraining

/// `diffusion train score`.
struct TrainScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Train a score-based model on pictures.",
    discussion: """
      The configuration is that of train ddpm with other defaults, those of EDM (Karras et al. 2022):
        process.kind           vp, sub_vp, ve or edm; noise_levels makes ve NCSN's
        process.prediction_type  score, epsilon, sample, v_prediction, edm, ve, vp, ...
        process.sigma_min, sigma_max (ve, edm), beta_min, beta_max (vp, sub_vp)
        loss.weighting         uniform, score (anneal_power), likelihood or edm
        loss.time_sampling     uniform, importance (both from first_time) or log_normal
        loss.objective         denoising or sliced
      \(TrainingOptions.discussion)

      Examples:
        diffusion train score --config edm.json
        diffusion train score --config ncsn.json --set process.kind=ve --set process.noise_levels=10 \\
          --set process.sigma_max=1 --set process.prediction_type=score --set loss.weighting=score
      """)

  @OptionGroup var training: TrainingOptions

  func run() throws { try training.run(over: .score) }
}
