import DiffusionImages
import DiffusionPipelines
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// `diffusion illustrate`: every idea in every kind of file that it has.
@Suite(.serialized) struct IllustrateTests {
  static let files = IllustrationSubject.allCases.flatMap { subject in
    subject.endings.map { (subject, $0) }
  }

  @Test(arguments: files)
  func draws(_ subject: IllustrationSubject, _ ending: String) throws {
    let program = try Program()
    defer { program.remove() }
    let name = "\(subject.rawValue).\(ending)"
    let outcome = try program.run("illustrate \(subject.rawValue) --out \(name)")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(program.files == [name])
    #expect(outcome.output.hasSuffix("\(name)\n"))
    if ending == "png" {
      let image = try PNGFile(reading: program.file(name).path).image
      #expect(Set(image.samples).count > 16, "a picture has shades")
    } else {
      let text = try String(contentsOf: program.file(name), encoding: .utf8)
      let document = XMLParser(data: Data(text.utf8))
      #expect(document.parse(), "\(String(describing: document.parserError))")
      #expect(text.contains("<path") || text.contains("<image"))
    }
  }

  /// The forward process ends near N(0, I), and says so.
  @Test func forwardNotesNearTheStandardNormal() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run("illustrate forward --out f.svg")
    let last = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("t = 999") })
    let numbers = last.split { !"-.0123456789".contains($0) }.compactMap { Double($0) }
    #expect(numbers.count == 7)
    for (found, wanted) in zip(numbers.dropFirst(), [0.0, 0, 1, 0, 0, 1]) {
      #expect(abs(found - wanted) < 0.01)
    }
  }

  @Test func refusesAPlotAsAPicture() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run("illustrate score --out score.png")
    #expect(outcome.code == 64 && outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("--out takes the name of a .svg file, not score.png"))
    #expect(program.files.isEmpty)
  }
}
