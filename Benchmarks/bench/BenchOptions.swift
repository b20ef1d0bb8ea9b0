import ArgumentParser
import TensorCore

/// What every verb takes.
struct BenchOptions: ParsableArguments {
  @Option(help: "How often each thing is timed.")
  var `repeat` = 10

  @Option(help: "Threads to compute with (default: TENSOR_THREADS, else every processor).")
  var threads: Int?

  @OptionGroup var json: JSONOption

  func validate() throws {
    if `repeat` < 1 {
      throw ValidationError("--repeat takes a number of 1 or more, not \(`repeat`).")
    }
    if let threads, threads < 1 {
      throw ValidationError("--threads takes a number of 1 or more, not \(threads).")
    }
  }

  /// Runs `body` with a report on this machine, which it fills, and writes the JSON asked for.
  func run(_ body: (inout Report) throws -> Void) throws {
    if let threads { Backend.threads = threads }
    var report = Report(machine: .measured(), printsToError: json.isStandardOutput)
    report.printMachine()
    try body(&report)
    try json.write(report.document)
  }
}
