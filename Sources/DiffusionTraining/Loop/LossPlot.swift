import DiffusionImages

extension TrainingLog {
  /// The loss over the steps, averaged over a fiftieth of the run at a time, and the validation loss.
  public func plot(title: String) -> LinePlot {
    let window = max(1, rows.count / 50)
    var averages: [LinePlot.Point] = []
    for start in stride(from: 0, to: rows.count, by: max(1, window / 4)) {
      let part = rows[start..<min(rows.count, start + window)]
      guard part.count == window, let first = part.first, let last = part.last else { continue }
      let mean = part.reduce(0) { $0 + $1.loss } / Double(part.count)
      averages.append(.init(x: Double(first.step + last.step) / 2, y: mean))
    }
    var series = [LinePlot.Series(name: "training", points: averages)]
    let validation = rows.compactMap { row in
      row.validationLoss.map { LinePlot.Point(x: Double(row.step), y: $0) }
    }
    if !validation.isEmpty { series.append(.init(name: "validation", points: validation)) }
    return LinePlot(
      title: title, xLabel: "step", yLabel: "loss", series: series, yScale: .logarithmic)
  }
}
