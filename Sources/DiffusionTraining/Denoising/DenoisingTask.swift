import Diffusion
import DiffusionImages
import DiffusionModels
import Foundation
import TensorCore
import TensorLayers

/// Learns to take noise from pictures of a chain or a continuous process, or their score by slices, with classes that are
/// dropped at times.
public struct DenoisingTask: TrainingTask {
  /// What is learnt, and how.
  public let configuration: DenoisingConfiguration
  /// What there is to say about the data, a line each.
  public let notes: [String]
  private let objective: DenoisingLoss
  private let times: TimeDistribution
  private let training: ImageBatches
  private let validation: ImageBatches

  /// Opens the data.
  public init(_ configuration: DenoisingConfiguration) throws(TrainingError) {
    self.configuration = configuration
    objective = DenoisingLoss(
      process: configuration.process.samplingProcess,
      parameterization: configuration.process.networkParameterization,
      weighting: configuration.loss.weighting(of: configuration.process.networkParameterization),
      variance: configuration.process.variance, boundShare: configuration.loss.boundShare)
    times = configuration.loss.times(of: configuration.process)
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
    _ configuration: DenoisingConfiguration, resuming checkpoint: String? = nil
  ) throws(TrainingError) -> TrainingRun<DenoisingTask> {
    let task = try DenoisingTask(configuration)
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
      kind: configuration.process.kind == .discrete ? "ddpm" : "score",
      configuration: configuration.json(),
      title: "\(configuration.data.path), \(network.parameterCount) parameters")
    return try TrainingRun(
      trainer: Trainer(task: task, configuration: settings, state: state),
      description: description)
  }

  /// The mean loss over some pictures, each at a time of its own, with its class or without.
  public func loss(
    of network: UNet, on examples: [Int], validating: Bool, draws: inout CounterGenerator
  ) throws(TrainingError) -> Tensor {
    let batches = validating ? validation : training
    let (clean, classes) = try batches.batch(of: examples, draws: &draws)
    let process = AnyProcess(objective.process)
    let drawn = times.draw(examples.count, on: process, using: &draws)
    let dropped = draws.uniformDoubles(examples.count).map {
      $0 < configuration.loss.labelDropout
    }
    let noise = Tensor.randomNormal(clean.shape, using: &draws)
    let batch = NoisyBatch(
      clean, noise: noise, times: drawn.times, importance: drawn.importance, of: process)
    let training = ExecutionMode.training(
      dropout: DropoutKey(seed: draws.seed, step: Int(draws.position)),
      checkpointsActivations: configuration.training.activationCheckpointing)
    let mode = validating ? .inference : training
    let rows = rows(of: classes, dropped: dropped)
    if configuration.loss.objective == .sliced {
      return sliced(network, batch, rows, mode, &draws)
    }
    let input = objective.input(for: batch)
    let output = network(input.x, timesteps: input.times, classes: rows, mode: mode)
    return objective.perSample(output, for: batch).mean()
  }

  /// Sliced score matching of the noisy pictures with Rademacher directions, weighted with a power of the noise.
  private func sliced(
    _ network: UNet, _ batch: NoisyBatch, _ classes: [Int]?, _ mode: ExecutionMode,
    _ draws: inout CounterGenerator
  ) -> Tensor {
    let signs = draws.uniformFloats(batch.noisy.count).map { $0 < 0.5 ? -1 : 1 as Float }
    let matching = SlicedScoreMatching(
      step: configuration.loss.slicedStep, reducesVariance: configuration.loss.varianceReduction)
    let deviations = batch.levels.map(\.noise)
    let losses = matching.perSample(
      batch.noisy, noise: deviations, directions: Tensor(signs, shape: batch.noisy.shape)
    ) { x in
      let levels = batch.levels + batch.levels
      let input = objective.input(x, at: levels)
      let answer = network(
        input.x, timesteps: input.times, classes: classes.map { $0 + $0 }, mode: mode)
      return objective.score(answer, of: x, at: levels)
    }
    let weights = zip(deviations, batch.importance).map {
      pow($0, configuration.loss.annealPower) * $1
    }
    return Tensor.linearCombination(perSample: [(weights, losses)]).mean()
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
    _ dataset: any Dataset, _ configuration: DenoisingConfiguration
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
