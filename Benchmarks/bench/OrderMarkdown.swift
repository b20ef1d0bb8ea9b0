import Diffusion
import Foundation
import SolverOrder

/// The tables of Documentation/solvers.md.
enum OrderMarkdown {
  static func table(_ rows: [OrderRow]) -> String {
    [solvers(rows.filter { $0.tolerances.isEmpty }), adaptive(rows), stochastic(rows)]
      .filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private static func solvers(_ rows: [OrderRow]) -> String {
    let head = """
      | solver | evaluations a step | order | measured, exact start | as started, to clean data | error at 10 steps | 20 | 50 |
      |---|---|---|---|---|---|---|---|
      """
    let lines = rows.filter { !$0.measured.isEmpty }.map { row -> String in
      var asked = "1"
      if case .perStep(let count)? = SolverCatalog.entry(named: row.entry)?.evaluations {
        asked = "\(count)"
      }
      let values = row.measured.values
      let range = String(format: "%.2f to %.2f", values.min() ?? 0, values.max() ?? 0)
      let usual = row.defaultOrder.map { String(format: "%.2f", $0) } ?? ""
      let errors = row.runs.map { String(format: "%.1e (%d)", $0.error, $0.evaluations) }
      return
        "| \(([row.name, asked, "\(row.order)", range, usual] + errors).joined(separator: " | ")) |"
    }
    return lines.isEmpty ? "" : ([head] + lines).joined(separator: "\n")
  }

  private static func adaptive(_ rows: [OrderRow]) -> String {
    let adaptive = rows.filter { !$0.tolerances.isEmpty }
    guard let first = adaptive.first else { return "" }
    let names = first.tolerances.map { String(format: "%.0e", $0.tolerance) }
    let head =
      "| adaptive solver | \(names.joined(separator: " | ")) |\n|---|"
      + String(repeating: "---|", count: names.count)
    let lines = adaptive.map { row in
      let runs = row.tolerances.map {
        String(format: "%.1e (%d)", $0.run.error, $0.run.evaluations)
      }
      return "| \(([row.name] + runs).joined(separator: " | ")) |"
    }
    return ([head] + lines).joined(separator: "\n")
  }

  private static func stochastic(_ rows: [OrderRow]) -> String {
    let lines = rows.filter { $0.weak != nil || $0.strong != nil }.map { row -> String in
      let numbers = [row.weak, row.strong].map { number in
        number.map { String(format: "%.2f ± %.2f", $0.value, $0.error) } ?? ""
      }
      return "| \(([row.name] + numbers).joined(separator: " | ")) |"
    }
    let head = "| solver with noise | weak order | strong order |\n|---|---|---|"
    return lines.isEmpty ? "" : ([head] + lines).joined(separator: "\n")
  }
}
