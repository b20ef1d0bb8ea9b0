import ArgumentParser
import TensorCore

/// Where the time of one turn goes, for the verbs that time whole turns.
struct TraceOptions: ParsableArguments {
  @Flag(help: "Also a table of where the time goes, by operation and level.")
  var ops = false

  @Option(help: "An SVG file for a picture of one turn: its operations side by side.")
  var flame: String?

  /// One turn after another that warms up.
  func records(of body: () -> Void) -> [OperationTrace.Record] {
    body()
    return OperationTrace.shared.records(of: body)
  }

  /// Shows of `records` what was asked for.
  func show(_ records: [OperationTrace.Record], title: String, in report: Report) throws {
    if let flame { try FlamePlot(title: title, records: records).write(to: flame) }
    guard ops else { return }
    for line in OperationTable(records).lines(on: report.machine) { report.say(line) }
  }
}
