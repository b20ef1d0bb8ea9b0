import ArgumentParser

/// `bench`: times the layers of the engine on this machine.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times the engine's layers on this machine.",
    discussion: """
      Every line gives the median time, the rate of arithmetic and its share of what the machine was just measured to \
      do at most, and the rate of memory and its share.

      Example: bench conv --shape 1x64x64x320:320 --repeat 20 --json conv.json
      """,
    subcommands: [
      GemmBench.self, ConvolutionBench.self, AttentionBench.self, UNetBench.self,
      AutoencoderBench.self, TextBench.self, TrainBench.self,
      SamplerBench.self, ScalingBench.self, OrderBench.self,
    ])

  /// Completes `--json` where no file follows, which the argument parser has no option for, and goes on.
  static func main() {
    main(JSONOption.completed(Array(CommandLine.arguments.dropFirst())))
  }
}
