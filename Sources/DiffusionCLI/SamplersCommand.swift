import ArgumentParser
import Diffusion
import Foundation

/// `diffusion samplers`.
struct SamplersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samplers",
    abstract: "List the samplers and the schedules.",
    discussion: """
      A sampler or a schedule is asked for by its name or any of its aliases; case, blanks, hyphens and underscores do not count.

      Example:
        diffusion samplers
        diffusion generate --sampler "DPM++ 2M" --schedule karras --steps 20 --out digit.png
      """)

  @OptionGroup var json: JSONOption

  func run() throws {
    let rows = SolverCatalog.all.map(SamplerRow.init)
    let schedules = ScheduleCatalog.all.map(ScheduleRow.init)
    if json.json != "-" {
      print(TextTable(SamplerRow.titles, rows.map(\.cells)).text)
      print()
      print(TextTable(ScheduleRow.titles, schedules.map(\.cells)).text)
    }
    try json.write(Listing(samplers: rows, schedules: schedules))
  }
}

/// What `--json` gives.
private struct Listing: Encodable {
  let samplers: [SamplerRow]
  let schedules: [ScheduleRow]
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
  let source: String

  init(_ entry: SolverEntry) {
    (name, aliases, order) = (entry.name, entry.aliases, entry.order)
    if case .perStep(let count) = entry.evaluations {
      evaluations = count
    } else {
      evaluations = nil
    }
    measuredOrder = entry.measuredOrder
    (isStochastic, source) = (entry.isStochastic, entry.source)
  }

  static let titles = [
    "name", "evaluations", "order", "measured", "noise", "source", "also called",
  ]

  var cells: [String] {
    [
      name, evaluations.map(String.init) ?? "adaptive", order.map(String.init) ?? "-",
      measuredOrder.map { String(format: "%.2f", $0) } ?? "-", isStochastic ? "yes" : "no", source,
      aliases.joined(separator: ", "),
    ]
  }
}
