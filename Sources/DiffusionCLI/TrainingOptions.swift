import ArgumentParser
import DiffusionTraining

/// What training networks that denoise has in common.
struct TrainingOptions: ParsableArguments {
  static let discussion = """
    Everything is written to the configuration's output folder: log.csv, loss.svg, grids of samples,
    checkpoints and at last model.safetensors, whose path is printed. SIGINT and SIGTERM finish the
    step and write a checkpoint (exit code 130); --resume goes on from one as if nothing had happened.
    """

  @Option(help: ArgumentHelp("The configuration, a JSON file.", valueName: "file"))
  var config: String

  @Option(help: ArgumentHelp("A checkpoint to go on from.", valueName: "file"))
  var resume: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "A setting that goes over the file's; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @OptionGroup var engine: EngineOptions

  /// Trains what the configuration says; absent keys take those of `defaults`.
  func run(over defaults: DenoisingConfiguration) throws {
    engine.apply()
    let configuration = try DenoisingConfiguration(path: config, settings: settings, over: defaults)
    Interruption.watch()
    var run = try DenoisingTask.run(configuration, resuming: resume)
    for note in run.trainer.task.notes { Console.note(note) }
    defer { Console.endProgress() }
    let outcome = try run.run(
      isStopped: { Interruption.isRequested }, progress: { Console.progress($0.line) })
    switch outcome {
    case .finished(let model): print(model)
    case .stopped(let checkpoint):
      throw StoppedByUser(message: "stopped; go on with --resume \(checkpoint)")
    }
  }
}

extension TrainingRun.Progress {
  /// One line for a terminal.
  fileprivate var line: String {
    let seconds = Int(secondsLeft.rounded())
    let left =
      seconds >= 3600
      ? "\(seconds / 3600) h \(seconds / 60 % 60) min" : "\(seconds / 60) min \(seconds % 60) s"
    let speed = (imagesPerSecond * 10).rounded() / 10
    return Console.bar(
      step, of: steps, "loss \((loss * 1e5).rounded() / 1e5)  \(speed) images/s  \(left) left")
  }
}
