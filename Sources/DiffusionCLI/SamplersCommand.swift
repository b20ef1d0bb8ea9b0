import ArgumentParser
import Diffusion
import Foundation

/// `diffusion samplers`.
struct SamplersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samplers",
    abstract: "List the samplers and the schedules.",
    discussion: """
      A sampler or a schedule is asked for by its name or any of its aliases; case, blanks, hyphens and underscores do not \
      count. A sampler's options are given by --sampler-option key=value.

      Example:
        diffusion samplers
        diffusion generate --sampler "DPM++ 2M" --schedule karras --steps 20 --out digit.png
        diffusion generate --sampler heun --sampler-option churn=10 \\
          --sampler-option noise-from=0.1 --out digit.png
      """)

  @OptionGroup var json: JSONOption

  func run() throws {
    let rows = SolverCatalog.all.map(SamplerRow.init)
    let schedules = ScheduleCatalog.all.map(ScheduleRow.init)
    let options = SolverOptions.Key.allCases.map(OptionRow.init)
    if json.json != "-" {
      print(TextTable(SamplerRow.titles, rows.map(\.cells)).text)
      print()
      print(TextTable(OptionRow.titles, options.map(\.cells)).text)
      print()
      print(TextTable(ScheduleRow.titles, schedules.map(\.cells)).text)
    }
    try json.write(Listing(samplers: rows, options: options, schedules: schedules))
  }
}

/// What `--json` gives.
private struct Listing: Encodable {
  let samplers: [SamplerRow]
  let options: [OptionRow]
  let schedules: [ScheduleRow]
}

/// An option of samplers as it is listed.
private struct OptionRow: Encodable {
  let name: String
  let value: String
  let purpose: String

  init(_ key: SolverOptions.Key) {
    (name, value, purpose) = (key.rawValue, key.expected, key.purpose)
  }

  static let titles = ["sampler option", "value", "what it is"]

  var cells: [String] { [name, value, purpose] }
}

/// A schedule as it is listed.
private struct ScheduleRow: Encodable {
  let name: String
  let aliases: [String]
  let options: [String]
  let source: String

  init(_ entry: ScheduleEntry) {
    (name, aliases, source) = (entry.name, entry.aliases, entry.source)
    options = entry.options.flatMap { option -> [String] in
      switch option {
      case .rho: ["rho"]
      case .sigmas: ["sigma-min", "sigma-max"]
      case .timestepOffset: []
      }
    }.sorted()
  }

  static let titles = ["schedule", "options", "source", "also called"]

  var cells: [String] {
    [name, options.joined(separator: ", "), source, aliases.joined(separator: ", ")]
  }
}

/// A sampler as it is listed.
private struct SamplerRow: Encodable {
  let name: String
  let aliases: [String]
  /// Evaluations a step; none where the error decides.
  let evaluations: Int?
  let order: Int?
  /// What `bench order` measured of it.
  let measuredOrder: Double?
  let isStochastic: Bool
  let options: [String]
  let source: String

  init(_ entry: SolverEntry) {
    (name, aliases, order) = (entry.name, entry.aliases, entry.order)
    if case .perStep(let count) = entry.evaluations {
      evaluations = count
    } else {
      evaluations = nil
    }
    measuredOrder = entry.measuredOrder
    (isStochastic, options, source) = (entry.isStochastic, entry.optionNames, entry.source)
  }

  static let titles = [
    "name", "evaluations", "order", "measured", "noise", "options", "source", "also called",
  ]

  var cells: [String] {
    [
      name, evaluations.map(String.init) ?? "adaptive", order.map(String.init) ?? "-",
      measuredOrder.map { String(format: "%.2f", $0) } ?? "-", isStochastic ? "yes" : "no",
      options.joined(separator: " "), source,
      aliases.joined(separator: ", "),
    ]
  }
}
