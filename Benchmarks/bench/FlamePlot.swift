import Foundation
import TensorCore

/// A picture of one turn in time, like a flame graph: below the whole, on it how long operations stayed at one number of
/// positions (a level of the network), on that the operations.
struct FlamePlot {
  /// A stretch of time.
  private struct Bar {
    let name: String
    var start: Double
    var seconds: Double
  }

  private static let size = (width: 1200.0, row: 34.0, top: 40.0)
  private let title: String
  private var rows: [[Bar]] = [[], [], []]
  private let whole: Double

  init(title: String, records: [OperationTrace.Record]) {
    whole = max(1e-9, records.reduce(0) { $0 + $1.seconds })
    self.title = title
    var start = 0.0
    rows[0] = [Bar(name: title, start: 0, seconds: whole)]
    for record in records {
      let positions = OperationTable.positions(record)
      // The time's and the text's operations are short guests of a level.
      let isGuest = positions == 1 || positions == 77
      let level = isGuest ? rows[1].last?.name ?? "" : "\(positions) positions"
      for (row, name) in [(1, level), (2, OperationTable.kind(record))] {
        if rows[row].last?.name == name {
          rows[row][rows[row].count - 1].seconds += record.seconds
        } else {
          rows[row].append(Bar(name: name, start: start, seconds: record.seconds))
        }
      }
      start += record.seconds
    }
  }

  /// Writes the picture as SVG.
  func write(to path: String) throws {
    do {
      try Data(svg.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw BenchError.cannotWrite(path: path, reason: error.localizedDescription)
    }
  }

  private var svg: String {
    let (width, row, top) = Self.size
    let height = top + row * Double(rows.count) + 10
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "font-family=\"sans-serif\" font-size=\"11\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
      "<text x=\"10\" y=\"24\" font-size=\"15\">\(title): "
        + String(format: "%.0f ms; time runs to the right", whole * 1e3) + "</text>",
    ]
    for (depth, bars) in rows.enumerated() {
      let y = top + row * Double(rows.count - 1 - depth)
      for bar in bars { lines.append(drawn(bar, y: y)) }
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  private func drawn(_ bar: Bar, y: Double) -> String {
    let scale = (Self.size.width - 20) / whole
    let (x, width) = (10 + bar.start * scale, bar.seconds * scale)
    let label = String(
      format: "%@: %.1f ms, %.1f %%", bar.name, bar.seconds * 1e3, bar.seconds / whole * 100)
    let fits = Int(width / 6.5)
    let text = fits > 3 ? String(bar.name.prefix(fits)) : ""
    return String(
      format: "<g><title>%@</title><rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
        + "fill=\"%@\" stroke=\"white\" stroke-width=\"0.4\"/>"
        + "<text x=\"%.2f\" y=\"%.1f\">%@</text></g>",
      label, x, y, width, Self.size.row - 2, Self.color(bar.name), x + 3, y + 20, text)
  }

  /// A colour of the name's own, the same in every picture.
  private static func color(_ name: String) -> String {
    let hash = name.utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }
    let hue = Double(hash % 360) / 360
    let channels = [0, 1.0 / 3, 2.0 / 3].map { shift in
      Int(190 + 55 * cos(2 * Double.pi * (hue + shift)))
    }
    return String(format: "#%02x%02x%02x", channels[0], channels[1], channels[2])
  }
}
