import ArgumentParser

/// `diffusion train`: one subcommand for each kind of network.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a network.",
    subcommands: [TrainDDPMCommand.self, TrainScoreCommand.self])
}
