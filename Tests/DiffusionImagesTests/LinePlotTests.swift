import DiffusionImages
import Foundation
import TestSupport
import Testing

@Suite struct LinePlotTests {
  static func plot(_ values: [Double], scale: LinePlot.Scale = .linear) -> LinePlot {
    LinePlot(
      title: "Loss & <more>", xLabel: "step", yLabel: "loss",
      series: [LinePlot.Series(name: "loss", values: values)], yScale: scale)
  }

  /// All the numbers that a line of the document moves through.
  static func line(_ svg: String) throws -> [[Double]] {
    let path = try #require(svg.firstMatch(of: /<path d="(M[^"]*)" fill="none" stroke="#0072b2"/))
    return path.1.split(separator: "M").flatMap { $0.split(separator: "L") }
      .map { $0.split(separator: " ").compactMap { Double($0) } }
  }

  @Test func documentIsWellFormed() throws {
    let svg = Self.plot([1, 0.5, 0.25]).svg()
    let parser = XMLCheck()
    #expect(parser.isWellFormed(svg))
    #expect(svg.contains("Loss &amp; &lt;more&gt;"))
    #expect(svg.contains("fill=\"#ffffff\""))
  }

  @Test func linearPositionsAreProportional() throws {
    let points = try Self.line(Self.plot([0, 1, 2, 3, 4]).svg())
    #expect(points.count == 5)
    let steps = zip(points, points.dropFirst()).map { [$1[0] - $0[0], $1[1] - $0[1]] }
    for step in steps {
      #expect(abs(step[0] - steps[0][0]) < 0.21 && abs(step[1] - steps[0][1]) < 0.21)
      #expect(step[0] > 0 && step[1] < 0)
    }
  }

  @Test func logarithmicPositionsAreRatios() throws {
    let points = try Self.line(Self.plot([1e-3, 1e-2, 1e-1, 1, 10], scale: .logarithmic).svg())
    let steps = zip(points, points.dropFirst()).map { $1[1] - $0[1] }
    for step in steps { #expect(step < 0 && abs(step - steps[0]) < 0.21) }
    let svg = Self.plot([1e-3, 1e-2, 1e-1, 1, 10], scale: .logarithmic).svg()
    for label in ["0.001", "0.01", "0.1", "1", "10"] { #expect(svg.contains(">\(label)</text>")) }
  }

  @Test func whatCannotBeShownBreaksTheLine() throws {
    let svg = Self.plot([1, 2, .nan, 3, -1, 4], scale: .logarithmic).svg()
    let path = try #require(svg.firstMatch(of: /<path d="(M[^"]*)" fill="none" stroke="#0072b2"/))
    #expect(path.1.split(separator: "M").count == 3)
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func oddRangesGiveFinitePictures() {
    let cases: [[Double]] = [
      [], [3], [0, 0], [-5, -5, -5], [1e300, 1e301], [1e-300, 2e-300], [.nan], [1e9, 1e9 + 1],
    ]
    for values in cases {
      for scale in [LinePlot.Scale.linear, .logarithmic] {
        let svg = Self.plot(values, scale: scale).svg()
        #expect(!svg.contains("nan") && !svg.contains("inf"), "\(values)")
        #expect(svg.count < 20_000, "\(values)")
      }
    }
  }

  @Test func longLinesStaySmallAndKeepTheirPeaks() throws {
    var values = (0..<200_000).map { sin(Double($0) / 1000) }
    values[123_456] = 7
    let svg = Self.plot(values).svg()
    #expect(svg.utf8.count < 100_000)
    let top = try Self.line(svg).map { $0[1] }.min() ?? 0
    let peaks = try Self.line(Self.plot([-1, 7]).svg()).map { $0[1] }.min() ?? 0
    #expect(abs(top - peaks) < 0.11)
  }

  @Test func severalSeriesHaveALegend() {
    var plot = Self.plot([1, 2])
    #expect(!plot.svg().contains(">validation</text>"))
    plot.series.append(LinePlot.Series(name: "validation", values: [2, 3]))
    #expect(plot.svg().contains(">validation</text>"))
    #expect(plot.svg().contains("stroke=\"#d55e00\""))
  }

  @Test func writesWholeFiles() throws {
    let folder = try TemporaryFolder()
    let plot = Self.plot([1, 2])
    try plot.write(to: folder.path("a.svg"))
    #expect(try FileBytes.read(folder.path("a.svg")) == Array(plot.svg().utf8))
    #expect(throws: ImageError.self) { try plot.write(to: folder.path("none/a.svg")) }
    #expect(try folder.contents == ["a.svg"])
  }
}

/// Checks that tags match and that attributes are quoted.
struct XMLCheck {
  func isWellFormed(_ document: String) -> Bool {
    var open: [Substring] = []
    for tag in document.matches(of: /<(\/?)([a-z]+)((?:\s+[a-z\-A-Z:]+="[^"<]*")*)\s*(\/?)>/) {
      if tag.output.4 == "/" { continue }
      if tag.output.1.isEmpty {
        open.append(tag.output.2)
      } else if open.popLast() != tag.output.2 {
        return false
      }
    }
    let tags = document.matches(of: /<(\/?)([a-z]+)((?:\s+[a-z\-A-Z:]+="[^"<]*")*)\s*(\/?)>/).count
    return open.isEmpty && tags == document.count { $0 == "<" }
  }
}
