import Foundation

extension LinePlot {
  /// The plot as an SVG 1.1 document.
  public func svg() -> String {
    let sheet = PlotSheet(self)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
      viewBox="0 0 \(width) \(height)" font-family="Helvetica, Arial, sans-serif" font-size="12" \
      fill="#333333">
      <title>\(title.escapedForXML)</title>
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>
      \((sheet.axes() + sheet.lines() + sheet.words() + sheet.legend()).joined(separator: "\n"))
      </svg>

      """
  }
}

/// The parts of a plot's SVG document, with every length in its place.
private struct PlotSheet {
  /// Okabe and Ito's colours, told apart by colour-blind eyes too.
  private static let colors = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
  ]
  private let plot: LinePlot
  private let xAxis: PlotAxis
  private let yAxis: PlotAxis
  private let left: Double
  private let top = 44.0
  private let right: Double
  private let bottom: Double
  /// Room at the right for the names of several series.
  private let legendWidth: Double

  init(_ plot: LinePlot) {
    self.plot = plot
    let points = plot.series.flatMap(\.points).filter {
      PlotAxis.canShow($0.x, plot.xScale) && PlotAxis.canShow($0.y, plot.yScale)
    }
    let across = PlotAxis(
      showing: points.map(\.x), scale: plot.xScale, aboutTicks: max(2, plot.width / 110))
    let upwards = PlotAxis(
      showing: points.map(\.y), scale: plot.yScale, aboutTicks: max(2, plot.height / 75))
    let widest = upwards.ticks.compactMap { $0.label?.count }.max() ?? 1
    left = 40 + 7 * Double(widest)
    let longestName = plot.series.map(\.name.count).max() ?? 0
    legendWidth =
      plot.series.filter({ !$0.name.isEmpty }).count > 1 ? 44 + 7 * Double(min(longestName, 40)) : 0
    right = max(left + 80, Double(plot.width) - 24 - legendWidth)
    bottom = Double(plot.height) - 52
    let unit = max(
      across.length / (right - left), upwards.length / (bottom - top))
    xAxis = plot.hasEqualUnits ? across.widened(to: unit * (right - left)) : across
    yAxis = plot.hasEqualUnits ? upwards.widened(to: unit * (bottom - top)) : upwards
  }

  private func x(_ position: Double) -> Double { left + position * (right - left) }
  private func y(_ position: Double) -> Double { bottom - position * (bottom - top) }

  /// Grid lines at the named ticks, numbers, and the frame's two sides.
  func axes() -> [String] {
    var parts: [String] = []
    for tick in xAxis.ticks {
      guard let position = xAxis.position(tick.value) else { continue }
      let at = Self.number(x(position))
      parts.append(
        Self.line(at, Self.number(tick.label == nil ? bottom - 4 : top), at, Self.number(bottom)))
      if let label = tick.label {
        parts.append(Self.text(label, x(position), bottom + 18, anchor: "middle"))
      }
    }
    for tick in yAxis.ticks {
      guard let position = yAxis.position(tick.value) else { continue }
      let at = Self.number(y(position))
      parts.append(
        Self.line(Self.number(left), at, Self.number(tick.label == nil ? left + 4 : right), at))
      if let label = tick.label {
        parts.append(Self.text(label, left - 8, y(position) + 4, anchor: "end"))
      }
    }
    let corner = "\(Self.number(left)) \(Self.number(bottom))"
    parts.append(
      "<path d=\"M\(Self.number(left)) \(Self.number(top))L\(corner)"
        + "H\(Self.number(right))\" fill=\"none\" stroke=\"#333333\"/>")
    return parts
  }

  /// The lines of all series.
  func lines() -> [String] {
    plot.series.enumerated().flatMap { index, series in
      let color = Self.colors[index % Self.colors.count]
      let pieces = pieces(of: series)
      switch series.style {
      case .line:
        return [Self.line(through: pieces, color)]
          + (plot.showsPoints ? Self.dots(pieces, color, radius: 3) : [])
      case .dots(let radius): return Self.dots(pieces, color, radius: radius)
      case .arrows: return [Self.arrows(pieces.flatMap { $0 }, color)]
      }
    }
  }

  private static func line(through pieces: [[LinePlot.Point]], _ color: String) -> String {
    let path = pieces.map { piece in
      "M" + piece.map { "\(number($0.x)) \(number($0.y))" }.joined(separator: "L")
    }
    return "<path d=\"\(path.joined())\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.6\" "
      + "stroke-linejoin=\"round\" stroke-linecap=\"round\"/>"
  }

  private static func dots(
    _ pieces: [[LinePlot.Point]], _ color: String, radius: Double
  ) -> [String] {
    pieces.flatMap { $0 }.map {
      "<circle cx=\"\(number($0.x))\" cy=\"\(number($0.y))\" r=\"\(number(radius))\" "
        + "fill=\"\(color)\"/>"
    }
  }

  /// Shafts with heads of a third of their length.
  private static func arrows(_ points: [LinePlot.Point], _ color: String) -> String {
    var path = ""
    for index in stride(from: 0, to: points.count - 1, by: 2) {
      let (tail, tip) = (points[index], points[index + 1])
      let (dx, dy) = ((tip.x - tail.x) / 3, (tip.y - tail.y) / 3)
      let left = LinePlot.Point(x: tip.x - dx - dy / 2, y: tip.y - dy + dx / 2)
      let right = LinePlot.Point(x: tip.x - dx + dy / 2, y: tip.y - dy - dx / 2)
      let corners = [tail, tip, left, tip, right].map { "\(number($0.x)) \(number($0.y))" }
      path += "M" + corners.joined(separator: "L")
    }
    return "<path d=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"0.8\"/>"
  }

  /// The unbroken pieces of a line, on the sheet.
  private func pieces(of series: LinePlot.Series) -> [[LinePlot.Point]] {
    var pieces: [[LinePlot.Point]] = []
    var piece: [LinePlot.Point] = []
    for point in series.points {
      if let px = xAxis.position(point.x), let py = yAxis.position(point.y) {
        piece.append(LinePlot.Point(x: x(px), y: y(py)))
      } else if !piece.isEmpty {
        pieces.append(piece)
        piece = []
      }
    }
    if !piece.isEmpty { pieces.append(piece) }
    let isDense = series.style == .line && !plot.showsPoints && !plot.hasEqualUnits
    return isDense ? pieces.map(Self.thinned) : pieces
  }

  /// Of the points within one half pixel across, the first, lowest, highest and last: the picture
  /// stays the same and a line of a million points stays small.
  private static func thinned(_ points: [LinePlot.Point]) -> [LinePlot.Point] {
    var result: [LinePlot.Point] = []
    var start = 0
    while start < points.count {
      let column = (points[start].x * 2).rounded(.down)
      var end = start + 1
      while end < points.count, (points[end].x * 2).rounded(.down) == column { end += 1 }
      let heights = (start..<end).sorted { points[$0].y < points[$1].y }
      let kept = Set([start, heights.first ?? start, heights.last ?? start, end - 1])
      result.append(contentsOf: kept.sorted().map { points[$0] })
      start = end
    }
    return result
  }

  /// Title and names of the axes.
  func words() -> [String] {
    let middle = (top + bottom) / 2
    return [
      "<text x=\"\(Self.number(left))\" y=\"26\" font-size=\"16\" font-weight=\"bold\">"
        + "\(plot.title.escapedForXML)</text>",
      Self.text(plot.xLabel, (left + right) / 2, bottom + 40, anchor: "middle"),
      "<text transform=\"translate(18 \(Self.number(middle))) rotate(-90)\" "
        + "text-anchor=\"middle\">\(plot.yLabel.escapedForXML)</text>",
    ]
  }

  /// Names of the series, right of the plot, where several have one.
  func legend() -> [String] {
    let named = plot.series.enumerated().filter { !$1.name.isEmpty }
    guard named.count > 1 else { return [] }
    var parts: [String] = []
    for (row, (index, series)) in named.enumerated() {
      let middle = top + 8 + 18 * Double(row)
      let color = Self.colors[index % Self.colors.count]
      parts.append(
        "<path d=\"M\(Self.number(right + 16)) \(Self.number(middle))h20\" stroke=\"\(color)\" "
          + "stroke-width=\"2.5\"/>")
      parts.append(Self.text(series.name, right + 42, middle + 4, anchor: "start"))
    }
    return parts
  }

  private static func line(_ x1: String, _ y1: String, _ x2: String, _ y2: String) -> String {
    "<path d=\"M\(x1) \(y1)L\(x2) \(y2)\" stroke=\"#dddddd\"/>"
  }

  private static func text(_ text: String, _ x: Double, _ y: Double, anchor: String) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(text.escapedForXML)</text>"
  }

  /// A length with a tenth of a pixel.
  private static func number(_ value: Double) -> String {
    String(format: "%.1f", value)
  }
}
