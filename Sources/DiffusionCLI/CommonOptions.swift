import ArgumentParser
import Foundation
import TensorCore

/// What every verb that computes takes.
struct EngineOptions: ParsableArguments {
  @Option(help: "Threads to compute with (default: TENSOR_THREADS, else every processor).")
  var threads: Int?

  @Flag(help: "Say which kernels compute, and what each part took.")
  var verbose = false

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads takes a number of 1 or more, not \(threads).")
    }
  }

  /// Sets the threads and says what holds the engine back.
  func apply() {
    if let threads { Backend.threads = threads }
    if verbose { Console.note(Backend.summary) }
    if verbose || Console.isTerminal {
      for warning in Backend.warnings { Console.note("warning: \(warning)") }
    }
  }
}

/// Results for programs: `--json` to standard output, `--json FILE` to a file.
struct JSONOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Print the results as JSON, to a file where one is named.", valueName: "file"))
  var json: String?

  /// Writes `value` where it was asked for; the file appears whole or not at all.
  func write(_ value: some Encodable) throws {
    guard let json else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(value) + Data("\n".utf8)
    if json == "-" {
      FileHandle.standardOutput.write(data)
    } else {
      try data.write(to: URL(fileURLWithPath: json), options: .atomic)
    }
  }
}
