import Foundation
import TensorCore

/// Where the time of a computation goes: by kind of operation and by level, which is told by how many positions
/// (pixels, tokens) an operation's result has.
struct OperationTable: Encodable {
  /// All operations of one kind at one level.
  struct Row: Encodable {
    let operation: String
    let positions: Int
    var count = 0
    var seconds = 0.0
    /// Multiplications and additions as the plain algorithm has them, also where Winograd's saves some.
    var operations = 0.0
    var bytes = 0
  }

  private(set) var rows: [Row] = []

  /// Multiplications and additions of all.
  var operations: Double { rows.reduce(0) { $0 + $1.operations } }

  init(_ records: [OperationTrace.Record]) {
    for record in records {
      let (kind, positions) = (Self.kind(record), Self.positions(record))
      let found = rows.firstIndex { $0.operation == kind && $0.positions == positions }
      let index = found ?? rows.count
      if found == nil { rows.append(Row(operation: kind, positions: positions)) }
      rows[index].count += 1
      rows[index].seconds += record.seconds
      rows[index].operations += Self.operations(record)
      rows[index].bytes += record.bytes
    }
    rows.sort { $0.seconds > $1.seconds }
  }

  /// The lines of a table: the rows, then the sums by kind.
  func lines(on machine: Machine) -> [String] {
    let whole = rows.reduce(0) { $0 + $1.seconds }
    var sums: [Row] = []
    for row in rows {
      if let index = sums.firstIndex(where: { $0.operation == row.operation }) {
        sums[index].count += row.count
        sums[index].seconds += row.seconds
        sums[index].operations += row.operations
        sums[index].bytes += row.bytes
      } else {
        sums.append(row)
      }
    }
    sums.sort { $0.seconds > $1.seconds }
    let title =
      "operation                 positions  count        ms  share  GFLOP/s   peak     GB/s"
    return [title] + rows.map { line($0, whole, "\($0.positions)", machine) } + ["by kind"]
      + sums.map { line($0, whole, "", machine) }
  }

  private func line(_ row: Row, _ whole: Double, _ level: String, _ machine: Machine) -> String {
    func column(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let gflops = row.operations / row.seconds * 1e-9
    let hasWork = row.operations > 0
    // What Winograd's algorithm saves counts as done: its rate is an effective one, and may pass the peak.
    let mark = row.operation == "convolution 3x3" ? "*" : " "
    return row.operation.padding(toLength: 25, withPad: " ", startingAt: 0)
      + column(level, 10) + column("\(row.count)", 7)
      + column(String(format: "%.1f", row.seconds * 1e3), 10)
      + column(String(format: "%.1f %%", row.seconds / whole * 100), 7)
      + column(hasWork ? String(format: "%.0f", gflops) + mark : "", 9)
      + column(hasWork ? String(format: "%.0f %%", gflops / machine.peakGflops * 100) : "", 7)
      + column(String(format: "%.1f", Double(row.bytes) / row.seconds * 1e-9), 9)
  }

  static func kind(_ record: OperationTrace.Record) -> String {
    guard record.operation == .convolution else { return record.operation.rawValue }
    let weights = record.operands[1]
    let isHalved = record.shape[1] * 2 <= record.operands[0][1]
    return "convolution \(weights[0])x\(weights[1])" + (isHalved ? " strided" : "")
  }

  static func positions(_ record: OperationTrace.Record) -> Int {
    switch (record.operation, record.shape.count) {
    case (.attention, 4), (_, 3): record.shape[1]
    case (_, 4): record.shape[1] * record.shape[2]
    default: 1
    }
  }

  private static func operations(_ record: OperationTrace.Record) -> Double {
    let count = record.shape.reduce(1, *)
    switch record.operation {
    case .linear, .matrixProduct:
      return 2 * Double(count) * Double(record.operands[0].last ?? 0)
    case .convolution:
      return 2 * Double(count) * Double(record.operands[1].dropLast().reduce(1, *))
    case .attention:
      let (query, key, value) = (record.operands[0], record.operands[1], record.operands[2])
      return 2 * Double(query[0] * query[1] * query[2] * key[1]) * Double(query[3] + value[3])
    default: return 0
    }
  }
}
