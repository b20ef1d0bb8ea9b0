import ArgumentParser
import TensorCore

/// What every verb takes.
struct BenchOptions: ParsableArguments {
  @Option(help: "How often each thing is timed.")
  var `repeat` = 10

  @Option(help: "Threads to compute with (default: TENSOR_THREADS, else every processor).")
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      """
      Results of an earlier run (of --json FILE) to compare with: says each ratio, and exits with 1 where a time is \
      worse by more than the noise of both.
      """, valueName: "file"))
  var compare: String?

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
    let earlier = try compare.map { try Comparison(path: $0) }
    if let threads { Backend.threads = threads }
    var report = Report(machine: .measured(), printsToError: json.isStandardOutput)
    report.printMachine()
    try body(&report)
    try json.write(report.document)
    if let earlier, try !earlier.holds(against: report) { throw ExitCode(1) }
  }
}
