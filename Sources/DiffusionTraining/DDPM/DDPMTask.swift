import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore
import TensorLayers

/// Learns to take noise from pictures: the simple loss of Ho et al. 2020 (equation 14) on epsilon, the picture or v.
public struct DDPMTask: TrainingTask {
  /// What is learnt, and how.
  public let configuration: DDPMConfiguration
  /// What there is to say about the data, a line each.
  public let notes: [String]
  private let process: DiscreteProcess
  private let training: ImageBatches
  private let validation: ImageBatches

  /// Opens the data.
  public init(_ configuration: DDPMConfiguration) throws(TrainingError) {
    self.configuration = configuration
    process = configuration.process.process
    let dataset: any Dataset
    do {
      dataset = try configuration.data.dataset()
    } catch {
      throw .data(error)
    }
    try Self.checkClasses(dataset, configuration)
    let skipped = (dataset as? ImageFolder)?.skipped ?? []
    notes = skipped.map { "skipped: \($0.error)" }
      + (skipped.isEmpty ? [] : ["\(skipped.count) damaged files skipped"])
    let preparation = configuration.data.preparation(channels: configuration.model.inChannels)
    let sides = Self.split(dataset, fraction: configuration.data.validationFraction)
    training = ImageBatches(sides.training, preparation: preparation)
    validation = ImageBatches(sides.validation, preparation: preparation.withoutChance)
  }

  public var exampleCount: Int { training.dataset.count }
  public var validationCount: Int { validation.dataset.count }

  /// A run from its start, or from a checkpoint.
  public static func run(
    _ configuration: DDPMConfiguration, resuming checkpoint: String? = nil
  ) throws(TrainingError) -> TrainingRun<DDPMTask> {
    let task = try DDPMTask(configuration)
    let settings = configuration.training
    let network: UNet
    do {
      network = try UNet(configuration.model, seed: UInt64(settings.seed))
    } catch {
      throw .model(error)
    }
    var state = TrainingState(
      network: network, exampleCount: task.exampleCount, configuration: settings)
    if let checkpoint { try state.restore(from: checkpoint) }
    let description = RunDescription(
      kind: "ddpm", configuration: configuration.json(),
      title: "\(configuration.data.path), \(network.parameterCount) parameters")
    return try TrainingRun(
      trainer: Trainer(task: task, configuration: settings, state: state),
      description: description)
  }

  public func loss(
    of network: UNet, on examples: [Int], validating: Bool, draws: inout CounterGenerator
  ) throws(TrainingError) -> Tensor {
    let batches = validating ? validation : training
    let (clean, classes) = try batches.batch(of: examples, draws: &draws)
    let count = examples.count
    let timesteps = draws.integers(below: process.count, count: count)
    let dropped = draws.uniformDoubles(count).map { $0 < configuration.loss.labelDropout }
    let noise = Tensor.randomNormal(clean.shape, using: &draws)
    let levels = timesteps.map { process.levels[$0] }
    let noisy = Tensor.linearCombination(perSample: [
      (levels.map(\.signal), clean), (levels.map(\.noise), noise),
    ])
    let mode = ExecutionMode.training(
      dropout: DropoutKey(seed: draws.seed, step: Int(draws.position)),
      checkpointsActivations: configuration.training.activationCheckpointing)
    let output = network(
      noisy, timesteps: timesteps.map(Double.init),
      classes: rows(of: classes, dropped: dropped), mode: validating ? .inference : mode)
    let targets = levels.map { configuration.process.predictionType.target(at: $0) }
    let target = Tensor.linearCombination(perSample: [
      (targets.map(\.data), clean), (targets.map(\.noise), noise),
    ])
    let difference = output - target
    return (difference * difference * weights(levels)).mean()
  }

  /// The rows of the class table: the empty one where a picture has no class or lost it.
  private func rows(of classes: [Int?], dropped: [Bool]) -> [Int]? {
    configuration.pixelModel.emptyClass.map { empty in
      zip(classes, dropped).map { $1 ? empty : $0 ?? empty }
    }
  }

  /// Min-SNR weights (Hang et al. 2023): min(SNR, γ) of the loss on x0, as the parameterization sees it.
  private func weights(_ levels: [NoiseLevel]) -> Tensor {
    guard let gamma = configuration.loss.snrGamma else { return Self.column([1]) }
    return Self.column(
      levels.map { level in
        let ratio = level.signalToNoise
        return switch configuration.process.predictionType {
        case .epsilon: min(ratio, gamma) / ratio
        case .sample: min(ratio, gamma)
        case .velocity: min(ratio, gamma) / (ratio + 1)
        }
      })
  }

  private static func column(_ values: [Double]) -> Tensor {
    Tensor(values.map(Float.init), shape: [values.count, 1, 1, 1])
  }

  private static func split<Data: Dataset>(
    _ dataset: Data, fraction: Double
  ) -> (training: any Dataset, validation: any Dataset) {
    let sides = ValidationSplit.fraction(fraction, seed: 0).apply(to: dataset)
    return (sides.training, sides.validation)
  }

  private static func checkClasses(
    _ dataset: any Dataset, _ configuration: DDPMConfiguration
  ) throws(TrainingError) {
    guard let most = configuration.pixelModel.emptyClass else { return }
    let found = dataset.classNames.count
    if found > most {
      throw .unsuitableData(
        path: configuration.data.path,
        problem: "it has \(found) classes, model.num_class_embeds \(most + 1) leaves room for "
          + "\(most) and the empty one")
    }
  }
}
