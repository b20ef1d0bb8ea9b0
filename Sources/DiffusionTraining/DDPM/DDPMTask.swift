import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore
import TensorLayers

/// Learns to take noise from pictures: the loss of `DenoisingLoss`, with classes that are dropped at times.
public struct DDPMTask: TrainingTask {
  /// What is learnt, and how.
  public let configuration: DDPMConfiguration
  /// What there is to say about the data, a line each.
  public let notes: [String]
  private let objective: DenoisingLoss
  private let training: ImageBatches
  private let validation: ImageBatches

  /// Opens the data.
  public init(_ configuration: DDPMConfiguration) throws(TrainingError) {
    self.configuration = configuration
    objective = DenoisingLoss(
      process: configuration.process.process,
      parameterization: configuration.process.parameterization,
      weighting: configuration.loss.snrGamma.map { .minSNR(gamma: $0) } ?? .uniform,
      variance: configuration.process.variance, boundShare: configuration.loss.boundShare)
    let dataset: any Dataset
    do {
      dataset = try configuration.data.dataset()
    } catch {
      throw .data(error)
    }
    try Self.checkClasses(dataset, configuration)
    let skipped = (dataset as? ImageFolder)?.skipped ?? []
    notes =
      skipped.map { "skipped: \($0.error)" }
      + (skipped.isEmpty ? [] : ["\(skipped.count) damaged files skipped"])
    let preparation = configuration.data.preparation(channels: configuration.model.inChannels)
    let sides = Self.split(dataset, fraction: configuration.data.validationFraction)
    training = ImageBatches(sides.training, preparation: preparation)
    validation = ImageBatches(sides.validation, preparation: preparation.withoutChance)
    if sides.training.count == 0 {
      throw .unsuitableData(
        path: configuration.data.path,
        problem: "data.validation_fraction \(configuration.data.validationFraction) leaves none of "
          + "its \(dataset.count) pictures to learn from")
    }
  }

  /// How many pictures there are to learn from.
  public var exampleCount: Int { training.dataset.count }
  /// How many pictures are held back.
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

  /// The mean loss over some pictures, each at a timestep of its own, with its class or without.
  public func loss(
    of network: UNet, on examples: [Int], validating: Bool, draws: inout CounterGenerator
  ) throws(TrainingError) -> Tensor {
    let batches = validating ? validation : training
    let (clean, classes) = try batches.batch(of: examples, draws: &draws)
    let timesteps = draws.integers(below: objective.process.count, count: examples.count)
    let dropped = draws.uniformDoubles(examples.count).map {
      $0 < configuration.loss.labelDropout
    }
    let noise = Tensor.randomNormal(clean.shape, using: &draws)
    let batch = NoisyBatch(clean, noise: noise, timesteps: timesteps, of: objective.process)
    let input = objective.input(for: batch)
    let mode = ExecutionMode.training(
      dropout: DropoutKey(seed: draws.seed, step: Int(draws.position)),
      checkpointsActivations: configuration.training.activationCheckpointing)
    let output = network(
      input.x, timesteps: input.times, classes: rows(of: classes, dropped: dropped),
      mode: validating ? .inference : mode)
    return objective.perSample(output, for: batch).mean()
  }

  /// The rows of the class table: the empty one where a picture has no class or lost it.
  private func rows(of classes: [Int?], dropped: [Bool]) -> [Int]? {
    configuration.pixelModel.emptyClass.map { empty in
      zip(classes, dropped).map { $1 ? empty : $0 ?? empty }
    }
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
    if found == 0 {
      throw .unsuitableData(
        path: configuration.data.path,
        problem: "it has no classes: name data.class_column, or set model.num_class_embeds to null")
    }
    if found > most {
      throw .unsuitableData(
        path: configuration.data.path,
        problem: "it has \(found) classes, model.num_class_embeds \(most + 1) leaves room for "
          + "\(most) and the empty one")
    }
  }
}
