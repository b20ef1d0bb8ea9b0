import ArgumentParser
import Diffusion
import DiffusionImages
import Foundation
import SolverOrder

/// `bench order`: the order of convergence of every solver, measured in float64 against an exact path.
struct OrderBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order",
    abstract: "Measures the order of convergence of every solver of the catalogue.",
    discussion: """
      On one Gaussian and on a mixture of two, whose paths are known, over three families of processes. The errors \
      and evaluations at 10, 20 and 50 steps are those of the default start, down to clean data.

      Example: bench order --sampler dpm++2m --sampler unipc --json order.json
      """)

  @Option(
    help: ArgumentHelp("A solver to measure, once or more (default: all).", valueName: "name"))
  var sampler: [String] = []

  @Option(help: ArgumentHelp("Writes the table of Documentation/solvers.md.", valueName: "file"))
  var markdown: String?

  @Option(help: ArgumentHelp("Writes a plot of error against evaluations.", valueName: "file.svg"))
  var plot: String?

  @OptionGroup var json: JSONOption

  func validate() throws {
    for name in sampler where SolverCatalog.entry(named: name) == nil {
      throw ValidationError("no sampler is called \(name); `diffusion samplers` lists them.")
    }
  }

  /// What `--json` gives.
  struct Document: Encodable {
    let machine: Machine
    let results: [OrderResult]
  }

  func run() throws {
    let wanted = Set(sampler.compactMap { SolverCatalog.entry(named: $0)?.name })
    let entries = SolverCatalog.all.filter { wanted.isEmpty || wanted.contains($0.name) }
    let report = Report(machine: .measured(), printsToError: json.isStandardOutput)
    var results: [OrderResult] = []
    for entry in entries {
      var rows: [OrderRow] = []
      let clock = ContinuousClock()
      let duration = try clock.measure { rows = try OrderTable.rows(of: entry) }
      let seconds = duration / .seconds(1) / Double(max(rows.count, 1))
      for row in rows {
        results.append(OrderResult(row, seconds: seconds))
        report.say(row.line)
      }
    }
    if wanted.isEmpty {
      let rows = StochasticOrders.all()
      for line in StochasticOrder.lines(rows) { report.say(line) }
      results += rows.map { OrderResult(OrderRow($0), seconds: 0) }
    }
    if let markdown {
      try (OrderMarkdown.table(results.map(\.row)) + "\n").write(
        toFile: markdown, atomically: true, encoding: .utf8)
    }
    if let plot { try OrderPlot.plot().write(to: plot) }
    try json.write(Document(machine: report.machine, results: results))
  }
}

/// A row as `--json` gives it.
struct OrderResult: Encodable {
  let row: OrderRow
  /// How long the row took to measure.
  let seconds: Double

  init(_ row: OrderRow, seconds: Double) {
    self.row = row
    self.seconds = seconds
  }

  enum Keys: String, CodingKey {
    case name, medianSeconds, minSeconds, order, measuredOrder, measured, defaultOrder, runs
    case tolerances, weak, strong
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(row.name, forKey: .name)
    try container.encode(seconds, forKey: .medianSeconds)
    try container.encode(seconds, forKey: .minSeconds)
    try container.encode(row.order, forKey: .order)
    try container.encodeIfPresent(row.measuredOrder, forKey: .measuredOrder)
    try container.encode(row.measured, forKey: .measured)
    try container.encodeIfPresent(row.defaultOrder, forKey: .defaultOrder)
    try container.encode(row.runs, forKey: .runs)
    try container.encode(row.tolerances, forKey: .tolerances)
    try container.encodeIfPresent(row.weak, forKey: .weak)
    try container.encodeIfPresent(row.strong, forKey: .strong)
  }
}

extension OrderRow {
  /// The row for people.
  var line: String {
    var line = name.padding(toLength: max(22, name.count), withPad: " ", startingAt: 0)
    line += " order \(order)"
    if let measuredOrder { line += String(format: "  measured %.2f", measuredOrder) }
    if let defaultOrder { line += String(format: "  as started %.2f", defaultOrder) }
    for (word, number) in [("weak", weak), ("strong", strong)] {
      guard let number else { continue }
      line += String(format: "  \(word) %.2f +- %.2f", number.value, number.error)
    }
    for run in runs { line += String(format: "  %d: %.1e", run.evaluations, run.error) }
    for run in tolerances {
      line += String(
        format: "  (%.0e: %.1e in %d)", run.tolerance, run.run.error, run.run.evaluations)
    }
    return line
  }
}
