import DiffusionImages
import DiffusionTraining
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct TrainingRunTests {
  /// Runs the toy task in a folder of its own, which is removed afterwards.
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "training-\(UUID().uuidString)"
    ).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func run(
    in folder: String, resuming checkpoint: String? = nil,
    _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> TrainingRun<ToyTask> {
    let configuration = TrainerTests.configuration {
      $0.output = folder
      $0.steps = 12
      $0.checkpointInterval = 1000
      $0.validationInterval = 4
      $0.plotInterval = 6
      $0.sampleInterval = 5
      change(&$0)
    }
    var state = TrainingState(
      network: ToyNetwork(), exampleCount: ToyTask().exampleCount, configuration: configuration)
    if let checkpoint { try state.restore(from: checkpoint) }
    return try TrainingRun(
      trainer: Trainer(task: ToyTask(), configuration: configuration, state: state),
      description: RunDescription(kind: "toy", configuration: "{}", title: "toy"))
  }

  private func stopped(_ outcome: TrainingRun<ToyTask>.Outcome) -> String {
    if case .stopped(let checkpoint) = outcome { return checkpoint }
    return "not stopped"
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test(arguments: [
    (1, OptimizerConfiguration.Kind.adamw, 1), (5, .adamw, 2), (11, .adamw, 1), (7, .sgd, 1),
    (0, .adamw, 1),
  ])
  func resumedRunsEndInTheSameBytes(
    after steps: Int, kind: OptimizerConfiguration.Kind, accumulation: Int
  ) throws {
    try withFolder { folder in
      func settings(_ configuration: inout TrainingConfiguration) {
        configuration.optimizer.kind = kind
        configuration.accumulation = accumulation
        configuration.averaging.power = 0.6
        configuration.checkpointInterval = 12
      }
      var whole = try run(in: "\(folder)/whole", settings)
      _ = try whole.run()
      var first = try run(in: "\(folder)/parts", settings)
      var made = 0
      let outcome = try first.run(isStopped: { made == steps }, progress: { made = $0.step })
      var second = try run(in: "\(folder)/parts", resuming: stopped(outcome), settings)
      #expect(second.trainer.state.step == steps)
      _ = try second.run()
      for name in ["checkpoint-000012.safetensors", "model.safetensors", "samples-000012.png"] {
        #expect(
          try bytes("\(folder)/whole/\(name)") == bytes("\(folder)/parts/\(name)"), "\(name)")
      }
      let (a, b) = (whole.log.rows, second.log.rows)
      #expect(a.map(\.loss) == b.map(\.loss) && a.map(\.step) == b.map(\.step))
      #expect(a.map(\.validationLoss) == b.map(\.validationLoss))
      #expect(a.map(\.learningRate) == b.map(\.learningRate))
    }
  }

  @Test func everyFileAppears() throws {
    try withFolder { folder in
      var run = try self.run(in: folder) {
        $0.checkpointInterval = 3
        $0.keptCheckpoints = 2
      }
      var steps: [Int] = []
      let outcome = try run.run(progress: { steps.append($0.step) })
      #expect(outcome == .finished(model: "\(folder)/model.safetensors"))
      #expect(steps == Array(1...12))
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(
        names == [
          "checkpoint-000009.safetensors", "checkpoint-000012.safetensors", "log.csv", "loss.svg",
          "model.safetensors", "samples-000005.png", "samples-000010.png", "samples-000012.png",
        ])
      let rows = try TrainingLog.read("\(folder)/log.csv")
      #expect(rows == run.log.rows.map(\.rounded))
      #expect(rows.filter { $0.validationLoss != nil }.map(\.step) == [4, 8, 12])
      let plot = try String(contentsOfFile: "\(folder)/loss.svg", encoding: .utf8)
      #expect(plot.contains("validation") && plot.contains("</svg>"))
      #expect(try Image(png: "\(folder)/samples-000012.png").width == 2)
    }
  }

  @Test func theModelIsTheAverageInHalfPrecision() throws {
    try withFolder { folder in
      var run = try self.run(in: folder)
      _ = try run.run()
      let model = try SafetensorsFile(path: "\(folder)/model.safetensors")
      #expect(model.metadata["kind"] == "toy" && model.metadata["step"] == "12")
      for (name, tensor) in run.trainer.state.averaging.average.parameters() {
        let stored = try model.tensor(named: name)
        #expect(stored.dtype == .float16)
        expectClose(stored.converted(to: .float32), tensor, tolerance: 1e-3, name)
      }
      #expect(model.entries.count == 3)
    }
  }

  @Test func aLogGoesBackToItsCheckpoint() throws {
    try withFolder { folder in
      var first = try run(in: folder) { $0.checkpointInterval = 4 }
      _ = try first.run()
      let checkpoint = "\(folder)/checkpoint-000008.safetensors"
      let resumed = try run(in: folder, resuming: checkpoint)
      #expect(resumed.log.rows.map(\.step) == Array(1...8))
      #expect(try TrainingLog.read("\(folder)/log.csv").map(\.step) == Array(1...8))
    }
  }

  @Test func foreignCheckpointsAreRefused() throws {
    try withFolder { folder in
      var first = try run(in: folder)
      _ = try first.run()
      func problem(
        _ path: String, _ change: (inout TrainingConfiguration) -> Void = { _ in }
      ) -> String {
        do {
          _ = try run(in: folder, resuming: path, change)
          return "accepted"
        } catch {
          return "\(error)"
        }
      }
      let checkpoint = "\(folder)/checkpoint-000012.safetensors"
      #expect(problem(checkpoint) == "accepted")
      #expect(problem("\(folder)/model.safetensors").contains("it is no training checkpoint"))
      #expect(problem("\(folder)/log.csv").contains("log.csv: not a whole safetensors file"))
      #expect(problem("\(folder)/none.safetensors").contains("none.safetensors: cannot"))
      #expect(problem(checkpoint) { $0.seed = 4 }.contains("50 examples with seed 0"))
      #expect(
        problem(checkpoint) { $0.optimizer.kind = .sgd }.contains("momentum_buffer"))
      let cut = "\(folder)/cut.safetensors"
      try bytes(checkpoint).dropLast(8).write(to: URL(fileURLWithPath: cut))
      #expect(problem(cut).contains("cut.safetensors: not a whole safetensors file"))
    }
  }

  @Test func anUnwritableFolderIsToldAndLeavesNothing() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/file"))
      let error = #expect(throws: TrainingError.self) { try self.run(in: "\(folder)/file") }
      #expect(error?.description.hasPrefix("\(folder)/file: cannot be written") == true)
      var training = try self.run(in: "\(folder)/run") { $0.checkpointInterval = 2 }
      // A folder where the checkpoint is to go.
      let blocked = "\(folder)/run/checkpoint-000002.safetensors"
      try FileManager.default.createDirectory(
        atPath: blocked + "/inside", withIntermediateDirectories: true)
      #expect(throws: TrainingError.self) { try training.run() }
      let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run").sorted()
      #expect(left == ["checkpoint-000002.safetensors", "log.csv"])
    }
  }
}

extension TrainingLog.Row {
  /// As the file has it.
  fileprivate var rounded: Self {
    var row = self
    row.imagesPerSecond = (imagesPerSecond * 100).rounded() / 100
    return row
  }
}
