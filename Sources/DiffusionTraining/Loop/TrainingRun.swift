import DiffusionImages
import Foundation
import TensorCore

/// A run with all that it leaves in its folder: `log.csv`, `loss.svg`, `samples-<step>.png`, the checkpoints
/// `checkpoint-<step>.safetensors` and at last the model, `model.safetensors`.
public struct TrainingRun<Task: TrainingTask>: Sendable {
  /// What makes the steps.
  public private(set) var trainer: Trainer<Task>
  /// The rows of `log.csv`.
  public private(set) var log: TrainingLog
  /// What the files say of the run.
  public let description: RunDescription

  /// How a run ended.
  public enum Outcome: Sendable, Equatable {
    /// All steps were made; the model is in this file.
    case finished(model: String)
    /// It was asked to stop, and this checkpoint goes on.
    case stopped(checkpoint: String)
  }

  /// How far a run is.
  public struct Progress: Sendable {
    /// Steps made, and steps of the run.
    public let step: Int, steps: Int
    /// The loss of the last step.
    public let loss: Double
    /// Examples a second, averaged over the last steps.
    public let imagesPerSecond: Double
    /// Seconds until the end at this speed.
    public let secondsLeft: Double
  }

  /// A run that starts or goes on from its trainer's state; makes the folder where it is missing.
  public init(trainer: Trainer<Task>, description: RunDescription) throws(TrainingError) {
    self.trainer = trainer
    self.description = description
    let folder = trainer.configuration.output
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: folder, reason: error.localizedDescription)
    }
    log = try TrainingLog(path: "\(folder)/log.csv", continuingAfter: trainer.state.step)
  }

  /// Makes the steps that are left.
  ///
  /// - Parameters:
  ///   - isStopped: asked between steps; after `true` a checkpoint is written and the run ends.
  ///   - progress: told after every step.
  public mutating func run(
    isStopped: () -> Bool = { false }, progress: (Progress) -> Void = { _ in }
  ) throws(TrainingError) -> Outcome {
    let settings = trainer.configuration
    var speed = Speed()
    while !trainer.isFinished {
      if isStopped() { return .stopped(checkpoint: try saveCheckpoint()) }
      let report = try speed.measure(settings.batchSize * settings.accumulation) {
        () throws(TrainingError) in try trainer.step()
      }
      try record(report, speed: speed.last)
      progress(
        Progress(
          step: report.step, steps: settings.steps, loss: report.loss,
          imagesPerSecond: speed.average,
          secondsLeft: Double(settings.steps - report.step) * speed.secondsPerStep))
      if isDue(settings.plotInterval) { try savePlot() }
      if isDue(settings.sampleInterval) { try saveSamples() }
      if isDue(settings.checkpointInterval) { try saveCheckpoint() }
    }
    return .finished(model: try saveModel())
  }

  /// Whether something that happens every `interval` steps, and at the end, happens now.
  private func isDue(_ interval: Int?) -> Bool {
    guard let interval else { return false }
    return trainer.state.step % interval == 0 || trainer.isFinished
  }

  private mutating func record(
    _ report: Trainer<Task>.Report, speed: Double
  ) throws(TrainingError) {
    var validation: Double?
    if isDue(trainer.configuration.validationInterval), trainer.task.validationCount > 0 {
      validation = try trainer.validationLoss()
    }
    try log.append(
      .init(
        step: report.step, loss: report.loss, learningRate: report.learningRate,
        gradientNorm: report.gradientNorm, imagesPerSecond: speed, validationLoss: validation))
  }

  private func savePlot() throws(TrainingError) {
    let path = "\(trainer.configuration.output)/loss.svg"
    do {
      try log.plot(title: description.title).write(to: path)
    } catch {
      throw .unwritable(path: path, reason: error.description)
    }
  }

  private func saveSamples() throws(TrainingError) {
    guard let picture = try trainer.task.samples(of: trainer.state.averaging.average) else {
      return
    }
    let path = "\(trainer.configuration.output)/samples-\(trainer.state.step.padded).png"
    do {
      try picture.writePNG(to: path)
    } catch {
      throw .unwritable(path: path, reason: error.description)
    }
  }

  /// Writes the state, and removes the oldest checkpoints beyond ``TrainingConfiguration/keptCheckpoints``.
  @discardableResult
  private func saveCheckpoint() throws(TrainingError) -> String {
    let folder = trainer.configuration.output
    let path = "\(folder)/\(Self.checkpointPrefix)\(trainer.state.step.padded).safetensors"
    try trainer.state.save(to: path, description: description)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // What another run left beyond this step is not this run's to remove.
    let checkpoints = names.filter {
      $0.hasPrefix(Self.checkpointPrefix) && $0.hasSuffix(".safetensors")
        && $0 <= "\(Self.checkpointPrefix)\(trainer.state.step.padded).safetensors"
    }
    for name in checkpoints.sorted().dropLast(trainer.configuration.keptCheckpoints) {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
    return path
  }

  private func saveModel() throws(TrainingError) -> String {
    let path = "\(trainer.configuration.output)/model.safetensors"
    try trainer.state.exportModel(to: path, description: description)
    return path
  }

  private static var checkpointPrefix: String { "checkpoint-" }
}

/// What files say of the run that wrote them.
public struct RunDescription: Sendable, Equatable {
  /// What kind of run: the verb under `train`.
  public var kind: String
  /// The whole configuration as JSON.
  public var configuration: String
  /// A line for people.
  public var title: String

  /// A description.
  public init(kind: String, configuration: String, title: String) {
    self.kind = kind
    self.configuration = configuration
    self.title = title
  }
}

extension Int {
  /// At least six digits, so that names sort as numbers do.
  fileprivate var padded: String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, 6 - digits.count)) + digits
  }
}

/// Examples a second: of the last step, and averaged over the last twenty or so.
private struct Speed {
  private(set) var last = 0.0
  private(set) var secondsPerStep = 0.0
  private var examples = 0.0
  private let clock = ContinuousClock()

  var average: Double { secondsPerStep > 0 ? examples / secondsPerStep : 0 }

  mutating func measure<Result>(
    _ count: Int, _ body: () throws(TrainingError) -> Result
  ) throws(TrainingError) -> Result {
    let start = clock.now
    let result = try body()
    let duration = (clock.now - start).components
    let seconds = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    examples = Double(count)
    last = seconds > 0 ? examples / seconds : 0
    secondsPerStep = secondsPerStep == 0 ? seconds : 0.95 * secondsPerStep + 0.05 * seconds
    return result
  }
}
