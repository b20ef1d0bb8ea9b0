import Foundation

/// One axis of a plot: its range, where its ticks are and how they are written.
struct PlotAxis {
  /// A place on the axis; unnamed ones are short.
  struct Tick: Equatable {
    let value: Double
    let label: String?
  }

  let scale: LinePlot.Scale
  /// The range shown, widened to its outer ticks on a linear axis.
  let range: ClosedRange<Double>
  let ticks: [Tick]

  /// An axis that shows all `values` it can.
  init(showing values: [Double], scale: LinePlot.Scale, aboutTicks: Int) {
    self.scale = scale
    let shown = values.filter { Self.canShow($0, scale) }
    let least = shown.min() ?? (scale == .linear ? 0 : 1)
    let most = shown.max() ?? (scale == .linear ? 1 : 10)
    switch scale {
    case .linear: (range, ticks) = Self.linear(least, most, aboutTicks)
    case .logarithmic: (range, ticks) = Self.logarithmic(least, most, aboutTicks)
    }
  }

  static func canShow(_ value: Double, _ scale: LinePlot.Scale) -> Bool {
    value.isFinite && (scale == .linear || value > 0)
  }

  /// The place of a value, 0 at the start of the axis and 1 at its end; nil where it cannot be
  /// shown.
  func position(_ value: Double) -> Double? {
    guard Self.canShow(value, scale) else { return nil }
    switch scale {
    case .linear:
      return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic:
      return log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
    }
  }

  /// From one end to the other of a linear axis.
  var length: Double { range.upperBound - range.lowerBound }

  /// The linear axis with as much on either side as makes it this long; ticks stay.
  func widened(to length: Double) -> PlotAxis {
    let more = max(0, (length - self.length) / 2)
    return PlotAxis(
      scale: scale, range: range.lowerBound - more...range.upperBound + more, ticks: ticks)
  }

  private init(scale: LinePlot.Scale, range: ClosedRange<Double>, ticks: [Tick]) {
    self.scale = scale
    self.range = range
    self.ticks = ticks
  }

  /// Steps of 1, 2 or 5 times a power of ten.
  private static func linear(
    _ least: Double, _ most: Double, _ about: Int
  ) -> (ClosedRange<Double>, [Tick]) {
    let span = max(most - least, max(abs(most), abs(least)) * 1e-9, 1e-300)
    let rough = span / Double(about)
    let power = pow(10, floor(log10(rough)))
    let step = ([1, 2, 5].first { $0 * power >= rough * 0.999 } ?? 10) * power
    let first = floor(least / step + 1e-6)
    let last = max(ceil(most / step - 1e-6), first + 1)
    let ticks = stride(from: first, through: last, by: 1).map {
      Tick(value: $0 * step, label: label($0 * step, step: step))
    }
    return (first * step...last * step, ticks)
  }

  /// Powers of ten are named where there are three or more of them, else 1, 2 and 5 times them.
  private static func logarithmic(
    _ least: Double, _ most: Double, _ about: Int
  ) -> (ClosedRange<Double>, [Tick]) {
    let low = most > least ? least : least / 2
    let high = most > least ? most : most * 2
    let decades = Int(floor(log10(low)))...Int(ceil(log10(high)))
    let wide = Int(floor(log10(high))) - Int(ceil(log10(low))) >= 2
    let every = max(1, decades.count / (about + 1) + (decades.count % (about + 1) > 0 ? 1 : 0))
    var ticks: [Tick] = []
    for decade in decades {
      for digit in 1...9 {
        let value = Double("\(digit)e\(decade)") ?? 0
        guard value >= low * 0.999, value <= high * 1.001, digit == 1 || every == 1 else {
          continue
        }
        let isNamed = wide ? digit == 1 && decade % every == 0 : [1, 2, 5].contains(digit)
        let step = pow(10, Double(decade))
        ticks.append(Tick(value: value, label: isNamed ? label(value, step: step) : nil))
      }
    }
    return (low...high, ticks)
  }

  /// As many digits as the step needs; powers of ten where there would be many zeros.
  static func label(_ value: Double, step: Double) -> String {
    if value == 0 { return "0" }
    let exponent = Int(floor(log10(abs(value)) + 1e-9))
    if exponent >= 6 || exponent < -4 {
      let digits = max(0, exponent - Int(floor(log10(step) + 1e-9)))
      let mantissa = String(format: "%.\(min(digits, 15))f", value / pow(10, Double(exponent)))
      return "\(mantissa)e\(exponent)"
    }
    let digits = max(0, -Int(floor(log10(step) + 1e-9)))
    return String(format: "%.\(digits)f", value)
  }
}
