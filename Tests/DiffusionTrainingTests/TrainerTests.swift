import DiffusionImages
import DiffusionTraining
import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct TrainerTests {
  static func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in })
    -> TrainingConfiguration
  {
    var configuration = TrainingConfiguration()
    configuration.steps = 20
    configuration.batchSize = 8
    configuration.learningRate = LearningRateSchedule(peak: 0.05, shape: .cosine, warmUpSteps: 2)
    configuration.validationExamples = 8
    change(&configuration)
    return configuration
  }

  private func trainer(
    _ task: ToyTask = ToyTask(), _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) -> Trainer<ToyTask> {
    Trainer(task: task, network: ToyNetwork(), configuration: Self.configuration(change))
  }

  private func values(_ network: ToyNetwork) -> [Double] {
    network.parameters().flatMap(\.tensor.doubles)
  }

  @Test func lossFalls() throws {
    var trainer = trainer { $0.steps = 400 }
    let before = try trainer.validationLoss()
    while !trainer.isFinished { _ = try trainer.step() }
    let after = try trainer.validationLoss()
    // The noise of the inputs keeps it above 0.1.
    #expect(after < 0.6 * before, "\(before) to \(after)")
    #expect(try trainer.validationLoss() == after, "validation draws anew from its own stream")
  }

  @Test func accumulatedBatchesEqualOneLargeBatch() throws {
    struct Quiet: TrainingTask {
      let inner = ToyTask()
      var exampleCount: Int { inner.exampleCount }
      var validationCount: Int { 0 }
      func loss(
        of network: ToyNetwork, on examples: [Int], validating: Bool,
        draws: inout CounterGenerator
      ) throws(TrainingError) -> Tensor {
        var unused = CounterGenerator(seed: 0)
        unused.position = 0
        let parts = try examples.map { example throws(TrainingError) in
          var same = CounterGenerator(seed: 5, stream: UInt64(example))
          return try inner.loss(of: network, on: [example], validating: false, draws: &same)
        }
        return parts.dropFirst().reduce(parts[0], +) / Double(parts.count)
      }
      func samples(of network: ToyNetwork) -> Image? { nil }
    }
    func run(_ batch: Int, _ accumulation: Int) throws -> [Double] {
      let configuration = Self.configuration {
        $0.batchSize = batch
        $0.accumulation = accumulation
      }
      var trainer = Trainer(task: Quiet(), network: ToyNetwork(), configuration: configuration)
      for _ in 0..<4 { _ = try trainer.step() }
      return trainer.state.network.parameters().flatMap(\.tensor.doubles)
    }
    let (whole, parts) = (try run(8, 1), try run(2, 4))
    let worst = zip(whole, parts).map { abs($0 - $1) }.max() ?? 1
    #expect(worst < 1e-5)
  }

  @Test func clippingBoundsTheUpdate() throws {
    func firstMove(limit: Double?) throws -> (move: Double, norm: Double) {
      var trainer = trainer {
        $0.gradientNormLimit = limit
        $0.optimizer.kind = .sgd
        $0.optimizer.momentum = 0
        $0.optimizer.weightDecay = 0
        $0.learningRate = LearningRateSchedule(peak: 1)
      }
      let before = values(trainer.state.network)
      let report = try trainer.step()
      let moves = zip(values(trainer.state.network), before).map { $0 - $1 }
      return (moves.reduce(0) { $0 + $1 * $1 }.squareRoot(), report.gradientNorm)
    }
    let free = try firstMove(limit: nil)
    #expect(abs(free.move - free.norm) < 1e-5 * free.norm)
    let bound = try firstMove(limit: free.norm / 4)
    #expect(abs(bound.move - free.norm / 4) < 1e-4 * free.norm)
    #expect(abs(bound.norm - free.norm) < 1e-12, "the norm is told as it was before clipping")
  }

  @Test func averageFollowsWithItsDecay() throws {
    var trainer = trainer {
      $0.averaging.decay = 0.9
      $0.averaging.warmUp = false
    }
    var expected = values(trainer.state.network)
    for _ in 0..<5 {
      _ = try trainer.step()
      expected = zip(expected, values(trainer.state.network)).map { 0.9 * $0 + 0.1 * $1 }
    }
    let worst = zip(values(trainer.state.averaging.average), expected).map { abs($0 - $1) }.max()
    #expect((worst ?? 1) < 1e-6)
  }

  @Test func nonFiniteLossNamesTheFirstOperationAndLeavesTheState() throws {
    var trainer = trainer(ToyTask(spoiltFrom: 0))
    let before = trainer.state
    let error = #expect(throws: TrainingError.self) { _ = try trainer.step() }
    #expect(
      error
        == .nonFinite(step: 1, quantity: "loss", origin: "sqrt (shape [8, 3])"))
    #expect(values(trainer.state.network) == values(before.network))
    #expect(trainer.state.cursor == before.cursor)
    #expect(trainer.state.draws == before.draws)
  }

  @Test func nonFiniteParameterIsNamed() throws {
    var network = ToyNetwork()
    network.shift = Tensor([1, .nan, 2] as [Float])
    var trainer = Trainer(
      task: ToyTask(), network: network, configuration: Self.configuration())
    let error = #expect(throws: TrainingError.self) { _ = try trainer.step() }
    #expect(error?.description.contains("parameter or input layer.shift") == true)
  }
}
