import ArgumentParser
import DiffusionTraining

/// `diffusion train ddpm`.
struct TrainDDPMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddpm",
    abstract: "Train a denoising diffusion model on pictures.",
    discussion: """
      \(TrainingOptions.discussion)

      Example:
        diffusion train ddpm --config mnist.json --set training.steps=3000
      """)

  @OptionGroup var training: TrainingOptions

  func run() throws { try training.run(over: DenoisingConfiguration()) }
}
