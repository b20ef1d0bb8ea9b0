import Foundation
import SolverOrder

/// What `bench order` says of the solvers that add noise.
enum StochasticOrder {
  /// A title, a line a solver, and those that have no order.
  static func lines(_ rows: [StochasticOrders]) -> [String] {
    let title = "weak       strong             errors of 40, 80 and 160 steps"
    return [padded("sampler", 20) + title] + rows.map(line)
      + ["without an order: " + StochasticOrders.exempt.joined(separator: ", ")]
  }

  private static func line(_ row: StochasticOrders) -> String {
    padded(row.name, 20)
      + String(
        format: "%d %5.2f    1 %5.2f +- %.2f    weak", row.weakOrder, row.weak.order,
        row.strong.order, row.strong.orderDeviation)
      + row.weak.errors.map { String(format: " %.1e", $0) }.joined() + "   strong"
      + zip(row.strong.errors, row.strong.deviations).map { error, deviation in
        String(format: " %.1e (%.0e)", error, deviation)
      }.joined()
  }

  private static func padded(_ text: String, _ length: Int) -> String {
    text.padding(toLength: max(length, text.count), withPad: " ", startingAt: 0)
  }
}
