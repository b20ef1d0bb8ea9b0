import DiffusionImages
import Foundation
import TestSupport
import Testing

/// `diffusion generate` with the embedded model.
@Suite struct GenerateTests {
  @Test func picturesAreTheSameBytesForAnyThreadsBatchAndCount() throws {
    let program = try Program()
    defer { program.remove() }
    let base = "generate --class 7 --seed 1 --steps 3"
    for arguments in [
      "\(base) --count 5 --out a%d.png --threads 1", "\(base) --count 5 --out b%d.png --threads 2",
      "\(base) --count 5 --out c%d.png --threads 8 --batch 2", "\(base) --count 2 --out d%d.png",
    ] {
      #expect(try program.run(arguments).code == 0)
    }
    for index in 0..<5 {
      let expected = try Data(contentsOf: program.file("a\(index).png"))
      for run in ["b", "c", "d"] where run != "d" || index < 2 {
        let same = try Data(contentsOf: program.file("\(run)\(index).png")) == expected
        #expect(same, "\(run)\(index).png differs from a\(index).png")
      }
    }
  }

  @Test func picturesAreSmallAndGreyWithLightInkOnBlack() throws {
    let program = try Program()
    defer { program.remove() }
    #expect(try program.run("generate --class 3 --seed 2 --steps 8 --out three.png").code == 0)
    let image = try Image(png: program.file("three.png").path)
    #expect(image.width == 28 && image.height == 28 && image.channels == 1)
    let dark = image.samples.filter { $0 < 64 }.count
    #expect(dark > 28 * 28 / 2)
    #expect(image.samples.contains { $0 > 200 })
  }

  @Test func aGridAndTheSinglePicturesAreWrittenWithoutAPattern() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(
      "generate --class 1 --class 2 --count 4 --steps 2 --seed 3 --out g.png --json")
    #expect(outcome.code == 0)
    #expect(program.files == ["g-000.png", "g-001.png", "g-002.png", "g-003.png", "g.png"])
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["seed"] as? Int == 3)
    #expect((json?["pictures"] as? [[String: Any]])?.map { $0["class"] as? Int } == [1, 2, 1, 2])
    let grid = try Image(png: program.file("g.png").path)
    #expect(grid.width >= 56 && grid.height >= 56)
  }

  @Test func theSeedIsPrintedAndMakesThePictureAgain() throws {
    let program = try Program()
    defer { program.remove() }
    let first = try program.run("generate --class 4 --steps 2 --out a.png")
    let seed = try #require(first.errorLines.first { $0.hasPrefix("seed ") }?.dropFirst(5))
    #expect(try program.run("generate --class 4 --steps 2 --seed \(seed) --out b.png").code == 0)
    #expect(try Data(contentsOf: program.file("a.png")) == Data(contentsOf: program.file("b.png")))
  }

  @Test func anInterruptKeepsWhatIsFinished() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(
      ["generate", "--count", "500", "--batch", "1", "--steps", "4", "--out", "p%03d.png"],
      interruptAfter: 3)
    #expect(outcome.code == 130)
    #expect(outcome.errorLines.last?.contains("are finished and kept") == true)
    #expect(program.files.count >= 3 && program.files.count < 500)
    for file in program.files { _ = try Image(png: program.file(file).path) }
  }

  @Test func theModelIsFoundBesideACopyOfTheProgramAndAfterInstallation() throws {
    let files = FileManager.default
    let home = try Program()
    defer { home.remove() }
    let (beside, installed) = (home.file("beside"), home.file("installed"))
    let resources = Program.products.appendingPathComponent(Program.resources)
    for (binary, target) in [
      (
        beside.appendingPathComponent("diffusion"), beside.appendingPathComponent(Program.resources)
      ),
      (
        installed.appendingPathComponent("bin/diffusion"),
        installed.appendingPathComponent("share/diffusion")
      ),
    ] {
      for url in [binary, target] {
        try files.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      }
      try files.copyItem(at: Program.products.appendingPathComponent("diffusion"), to: binary)
      try files.copyItem(at: resources, to: target)
      let program = try Program(binary: binary)
      defer { program.remove() }
      #expect(try program.run("generate --class 1 --steps 1 --out one.png").code == 0)
    }
  }

  @Test func aCopyWithoutItsModelSaysWhereItLooked() throws {
    let home = try Program()
    defer { home.remove() }
    let binary = home.file("diffusion")
    try FileManager.default.copyItem(
      at: Program.products.appendingPathComponent("diffusion"), to: binary)
    let program = try Program(binary: binary)
    defer { program.remove() }
    let outcome = try program.run("generate --out a.png")
    #expect(outcome.code == 1)
    #expect(outcome.errorLines.count == 1 && outcome.errors.contains("--model"))
    #expect(program.files.isEmpty)
  }
}
