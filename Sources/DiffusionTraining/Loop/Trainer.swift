import TensorCore
import TensorLayers

/// Makes the steps of a run.
public struct Trainer<Task: TrainingTask>: Sendable {
  /// What is learnt.
  public let task: Task
  /// How.
  public let configuration: TrainingConfiguration
  /// How far the run is.
  public internal(set) var state: TrainingState<Task.Network>

  /// What a step did.
  public struct Report: Sendable, Equatable {
    /// How many steps were made, this one included.
    public let step: Int
    /// The mean loss before the update.
    public let loss: Double
    /// The learning rate of the update.
    public let learningRate: Double
    /// The norm of all gradients together, before clipping.
    public let gradientNorm: Double
  }

  /// A run from its start.
  public init(task: Task, network: Task.Network, configuration: TrainingConfiguration) {
    self.init(
      task: task, configuration: configuration,
      state: TrainingState(
        network: network, exampleCount: task.exampleCount, configuration: configuration))
  }

  /// A run that goes on from a state.
  public init(
    task: Task, configuration: TrainingConfiguration, state: TrainingState<Task.Network>
  ) {
    self.task = task
    self.configuration = configuration
    self.state = state
  }

  /// Whether all steps were made.
  public var isFinished: Bool { state.step >= configuration.steps }

  /// Makes one step: the gradients of ``TrainingConfiguration/accumulation`` batches, clipped, then one update of
  /// the weights and of their average.
  ///
  /// - Throws: ``TrainingError/nonFinite(step:quantity:origin:)``; the state is then that of before the step.
  public mutating func step() throws(TrainingError) -> Report {
    let (cursor, draws) = (state.cursor, state.draws)
    let batches = configuration.accumulation
    var loss = 0.0
    var gradients: [Tensor] = []
    for _ in 0..<batches {
      let part = try self.gradients(on: state.cursor.next(configuration.batchSize))
      loss += part.loss / Double(batches)
      gradients.accumulate(part.gradients)
    }
    let norm = GradientNorm.global(gradients) / Double(batches)
    guard loss.isFinite && norm.isFinite else {
      (state.cursor, state.draws) = (cursor, draws)
      throw fault(loss: loss, gradients: gradients)
    }
    let clipping = configuration.gradientNormLimit.map { GradientNorm.clipping(norm: norm, to: $0) }
    let rate = configuration.learningRate.rate(atStep: state.step, of: configuration.steps)
    state.optimizer.update(
      &state.network, gradients: gradients, scale: (clipping ?? 1) / Double(batches),
      learningRate: rate)
    state.averaging.update(with: state.network)
    state.step += 1
    return Report(step: state.step, loss: loss, learningRate: rate, gradientNorm: norm)
  }

  /// The mean loss of the averaged weights over the validation examples: the same draws each time.
  public func validationLoss() throws(TrainingError) -> Double {
    let count = min(configuration.validationExamples, task.validationCount)
    require(count > 0, "validation", "the task holds no examples back")
    var draws = CounterGenerator(
      seed: UInt64(configuration.seed), stream: RandomStream.validation)
    var sum = 0.0
    for start in stride(from: 0, to: count, by: configuration.batchSize) {
      let examples = Array(start..<min(count, start + configuration.batchSize))
      let loss = try task.loss(
        of: state.averaging.average, on: examples, validating: true, draws: &draws)
      sum += loss.item * Double(examples.count)
    }
    return sum / Double(count)
  }

  /// The loss and gradients of one batch. Nothing recorded outlives this, so that the update finds the weights' memory
  /// unshared.
  private mutating func gradients(
    on examples: [Int]
  ) throws(TrainingError) -> (loss: Double, gradients: [Tensor]) {
    let tape = Tape()
    var watched = state.network.watched(by: tape)
    let loss = try task.loss(
      of: watched.module, on: examples, validating: false, draws: &state.draws)
    watched.module = watched.module.detached
    let value = loss.item
    let gradients = tape.gradients(
      of: consume loss, withRespectTo: watched.variables.map(\.tensor))
    return (value, gradients)
  }

  /// Makes the step that failed again, looking at every value, to find the first that is not finite.
  private func fault(loss: Double, gradients: [Tensor]) -> TrainingError {
    let quantity = loss.isFinite ? "gradient" : "loss"
    let tape = Tape(findsNonFinite: true)
    let watched = state.network.watched(by: tape)
    var (cursor, draws) = (state.cursor, state.draws)
    for _ in 0..<configuration.accumulation where tape.firstNonFinite == nil {
      _ = try? task.loss(
        of: watched.module, on: cursor.next(configuration.batchSize), validating: false,
        draws: &draws)
    }
    let names = watched.variables.map(\.name)
    let parameter = zip(names, gradients).first { !$1.isFinite }?.0
    let origin =
      tape.firstNonFinite ?? parameter.map { "the gradient of parameter \($0)" }
      ?? "the sum of the gradients' squares"
    return .nonFinite(step: state.step + 1, quantity: quantity, origin: origin)
  }
}

extension [Tensor] {
  /// Adds `others` one by one, in place; an empty list becomes them.
  fileprivate mutating func accumulate(_ others: [Tensor]) {
    if isEmpty {
      self = others
    } else {
      for index in indices { self[index].accumulate(others[index]) }
    }
  }
}
