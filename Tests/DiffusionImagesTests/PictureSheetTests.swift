import DiffusionImages
import TestSupport
import Testing

@Suite struct PictureSheetTests {
  static let sheet = PictureSheet(
    title: "A & B", columns: ["left", "right"],
    rows: (0..<3).map { row in
      ("row \(row)", (0..<2).map { pattern(width: 5, height: 4, channels: 1, seed: 2 * row + $0) })
    })

  @Test func pictureIsTheGrid() {
    #expect(size(Self.sheet.image) == [2 * 7 + 2, 3 * 6 + 2])
  }

  @Test func drawingHoldsItsPicturesAndWords() throws {
    let document = try Self.sheet.svg()
    #expect(XMLCheck().isWellFormed(document))
    #expect(document.ranges(of: "data:image/png;base64,").count == 6)
    for word in ["A &amp; B", "left", "right", "row 0", "row 2"] {
      #expect(document.contains(">\(word)</text>"))
    }
  }

  @Test func legendSaysWhatThePictureLacks() {
    #expect(
      Self.sheet.legend == ["A & B", "columns: left, right", "rows: row 0, row 1, row 2"])
  }
}

@Suite struct PlotStyleTests {
  static func map(_ style: LinePlot.Series.Style) -> LinePlot {
    let points = [(0.0, 0.0), (1, 0), (1, 3), (0, 3)].map { LinePlot.Point(x: $0.0, y: $0.1) }
    var plot = LinePlot(
      title: "map", xLabel: "", yLabel: "",
      series: [LinePlot.Series(name: "", points: points, style: style)], width: 400, height: 400)
    plot.hasEqualUnits = true
    return plot
  }

  @Test func aUnitIsAsLongOnEitherAxis() throws {
    let circles = Self.map(.dots()).svg().matches(of: /<circle cx="([0-9.]+)" cy="([0-9.]+)"/)
    let places = circles.compactMap { match -> (Double, Double)? in
      guard let x = Double(match.1), let y = Double(match.2) else { return nil }
      return (x, y)
    }
    #expect(places.count == 4)
    let across = places[1].0 - places[0].0
    let up = places[1].1 - places[2].1
    #expect(across > 10 && abs(up - 3 * across) < 0.4)
  }

  @Test func arrowsAreShaftsWithHeads() throws {
    let document = Self.map(.arrows).svg()
    let path = try #require(document.firstMatch(of: /<path d="([^"]*)" [^>]*stroke-width="0.8"/))
    #expect(path.1.split(separator: "M").count == 2)
    #expect(path.1.filter { $0 == "L" }.count == 8)
  }

  @Test func sheetsHoldEveryPlot() {
    let document = LinePlot.sheet(of: [Self.map(.line), Self.map(.dots())], columns: 2)
    #expect(XMLCheck().isWellFormed(document))
    #expect(document.ranges(of: "<title>map</title>").count == 2)
    #expect(document.contains("width=\"800\" height=\"400\""))
  }
}
