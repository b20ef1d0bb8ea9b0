import ArgumentParser
import DiffusionImages
import DiffusionModels
import DiffusionTraining
import TensorCore
import TensorLayers

/// `bench train`: whole training steps.
struct TrainBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Times training steps: forward, backward, clipping, AdamW and the average.",
    discussion: "Example: bench train --preset reference --batch 32")

  /// The networks that are timed.
  enum Preset: String, ExpressibleByArgument, CaseIterable {
    /// 32x32x3, channels 64-128-128, two residual blocks a level, attention at 16x16: 6.47 M parameters.
    case reference
  }

  @Option(help: "Which network: \(Preset.allCases.map(\.rawValue).joined(separator: ", ")).")
  var preset = Preset.reference

  @Option(help: "Pictures a step.")
  var batch = 32

  @OptionGroup var trace: TraceOptions
  @OptionGroup var options: BenchOptions

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch takes a number of 1 or more, not \(batch).") }
  }

  func run() throws {
    var settings = TrainingConfiguration()
    settings.batchSize = batch
    settings.gradientNormLimit = nil
    let network = try UNet(preset.configuration, seed: 0)
    var trainer = Trainer(
      task: RandomPictures(configuration: preset.configuration), network: network,
      configuration: settings)
    var failure: TrainingError?
    func step() {
      do throws(TrainingError) {
        _ = try trainer.step()
      } catch {
        failure = error
      }
    }
    try options.run { report in
      let records = trace.records(of: step)
      let result = Measurement.of(
        "train \(preset.rawValue) batch \(batch)", repeat: options.repeat,
        operations: preset.operationsPerPicture * Double(batch), bytes: nil, on: report.machine,
        step)
      report.add(result)
      if let failure { throw failure }
      try trace.show(records, title: result.name, in: report)
    }
  }
}

extension TrainBench.Preset {
  /// The network.
  var configuration: UNetConfiguration { .reference }

  /// Multiplications and additions of the forward and the backward pass: 307 GFLOP for 32 pictures.
  var operationsPerPicture: Double { 307e9 / 32 }
}

/// Noise to be predicted from noise: a training step without data.
private struct RandomPictures: TrainingTask {
  let configuration: UNetConfiguration
  let exampleCount = 1024
  let validationCount = 0

  func loss(
    of network: UNet, on examples: [Int], validating: Bool, draws: inout CounterGenerator
  ) throws(TrainingError) -> Tensor {
    let side = configuration.sampleSize?.first ?? 32
    let shape = [examples.count, side, side, configuration.inChannels]
    let noisy = Tensor.randomNormal(shape, using: &draws)
    let noise = Tensor.randomNormal(shape, using: &draws)
    let times = draws.integers(below: 1000, count: examples.count).map(Double.init)
    let mode = ExecutionMode.training(dropout: DropoutKey(seed: 0, step: 0))
    let difference = network(noisy, timesteps: times, mode: mode) - noise
    return (difference * difference).mean()
  }

  func samples(of network: UNet) -> Image? { nil }
}

extension UNetConfiguration {
  /// 32x32x3, channels 64-128-128, two residual blocks a level, attention at 16x16: 6.47 M parameters.
  static var reference: UNetConfiguration {
    var configuration = UNetConfiguration()
    configuration.sampleSize = [32]
    configuration.blockOutChannels = [64, 128, 128]
    configuration.downBlockTypes = [.plain, .attention, .plain]
    configuration.upBlockTypes = [.plain, .attention, .plain]
    return configuration
  }
}
