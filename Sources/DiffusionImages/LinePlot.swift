/// A line plot as an SVG document: a title, two axes with ticks, and one line a series.
///
/// The sheet is white with dark ink whatever the viewer's own colours are.
public struct LinePlot: Sendable, Equatable {
  /// A named line.
  public struct Series: Sendable, Equatable {
    /// The name in the legend.
    public var name: String
    /// The points in drawing order. A coordinate that is not finite, or not above zero on a
    /// logarithmic axis, breaks the line.
    public var points: [Point]
    /// What is drawn at the points.
    public var style: Style

    /// What the points of a series become.
    public enum Style: Sendable, Equatable {
      /// A line from each to the next.
      case line
      /// A dot at each, of so many pixels.
      case dots(radius: Double = 1.2)
      /// An arrow from the first to the second, from the third to the fourth, and so on.
      case arrows
    }

    /// A series of the given points.
    public init(name: String, points: [Point], style: Style = .line) {
      self.name = name
      self.points = points
      self.style = style
    }

    /// A line through `values` over 0, 1, 2, ...
    public init(name: String, values: [Double]) {
      self.init(name: name, points: values.enumerated().map { Point(x: Double($0), y: $1) })
    }
  }

  /// One point of a line.
  public struct Point: Sendable, Equatable {
    /// The horizontal coordinate.
    public var x: Double
    /// The vertical coordinate.
    public var y: Double

    /// A point at the given coordinates.
    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// How an axis maps numbers to lengths.
  public enum Scale: String, Sendable {
    /// Equal differences are equally long.
    case linear
    /// Equal ratios are equally long; powers of ten are ticks.
    case logarithmic
  }

  /// What is shown, above the plot.
  public var title: String
  /// The name and unit of the horizontal axis.
  public var xLabel: String
  /// The name and unit of the vertical axis.
  public var yLabel: String
  /// The lines; a legend names them where there are several.
  public var series: [Series]
  /// The horizontal axis.
  public var xScale: Scale
  /// The vertical axis.
  public var yScale: Scale
  /// Draws a dot at each point, for lines of few points.
  public var showsPoints: Bool
  /// Whether a unit is as long on one linear axis as on the other: for maps.
  public var hasEqualUnits = false
  /// The sheet's width, in SVG's pixels.
  public var width: Int
  /// The sheet's height, in SVG's pixels.
  public var height: Int

  /// A plot of the given series.
  public init(
    title: String, xLabel: String, yLabel: String, series: [Series], xScale: Scale = .linear,
    yScale: Scale = .linear, showsPoints: Bool = false, width: Int = 800, height: Int = 480
  ) {
    guard width >= 200, height >= 150 else {
      imageMisuse("LinePlot: expected at least 200 x 150 pixels, found \(width) x \(height)")
    }
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.xScale = xScale
    self.yScale = yScale
    self.showsPoints = showsPoints
    self.width = width
    self.height = height
  }

  /// Several plots as one SVG document, `columns` in a row, each in a cell of the largest one's size.
  public static func sheet(of plots: [LinePlot], columns: Int) -> String {
    guard columns > 0, !plots.isEmpty else {
      imageMisuse("LinePlot.sheet: expected plots and columns, found \(plots.count), \(columns)")
    }
    let (width, height) = (plots.map(\.width).max() ?? 0, plots.map(\.height).max() ?? 0)
    let rows = (plots.count + columns - 1) / columns
    let cells = plots.enumerated().map { index, plot in
      "<svg x=\"\(index % columns * width)\" y=\"\(index / columns * height)\" "
        + plot.svg().dropFirst("<svg ".count)
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(columns * width)" height="\(rows * height)">
      <rect width="100%" height="100%" fill="white"/>
      \(cells.joined())</svg>

      """
  }

  /// Writes the SVG document to a file, whole or not at all.
  ///
  /// - Throws: `ImageError.unwritable`.
  public func write(to path: String) throws(ImageError) {
    try AtomicFile.write(svg(), to: path)
  }
}
