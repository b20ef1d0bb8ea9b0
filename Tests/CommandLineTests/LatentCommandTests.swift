import DiffusionImages
import Foundation
import TestSupport
import Testing

/// The verbs of latent models as a user calls them, with small models.
@Suite struct LatentCommandTests {
  static let text = Shared.golden.appendingPathComponent("pipeline_text").path
  static let pictures = Shared.golden.appendingPathComponent("pipeline_pictures")

  static func picture(_ name: String) -> String {
    pictures.appendingPathComponent(name + ".png").path
  }

  /// A run with the small model of texts, three steps long.
  static func run(
    _ program: Program, _ verb: String, _ line: String, model: String = text,
    interruptAfter files: Int? = nil
  ) throws -> Program.Outcome {
    try program.run(
      [verb, "--model", model, "--prompt", "a red cat", "--seed", "5", "--steps", "3"]
        + line.split(separator: " ").map(String.init), interruptAfter: files)
  }

  /// What was drawn comes out again by `reproduce`.
  static func expectReproduced(_ program: Program, _ name: String) throws {
    let again = try program.run("reproduce \(name).png --out again.png")
    #expect(again.code == 0, "\(again.errors)")
    let same =
      try Data(contentsOf: program.file("\(name).png"))
      == Data(contentsOf: program.file("again.png"))
    #expect(same, "\(name).png differs from what its recipe draws")
  }

  @Test func picturesAreDrawnFromAPicture() throws {
    let program = try Program()
    defer { program.remove() }
    let small = Self.picture("small")
    let runs = [
      "a": "--init-image \(small) --strength 0.7",
      "b": "--init-image \(small) --mask \(Self.picture("small-mask")) --mask-blur 1",
      "c":
        "--init-image \(Self.picture("picture")) --mask \(Self.picture("mask")) --width 32 --height 32 --masked-area",
      "d": "--init-image \(small) --mask \(Self.picture("small-mask")) --redraw-outside",
    ]
    for (name, line) in runs {
      let outcome = try Self.run(program, "generate", "\(line) --out \(name).png")
      #expect(outcome.code == 0, "\(outcome.errors)")
      try Self.expectReproduced(program, name)
    }
    let whole = try Image(png: program.file("c.png").path)
    let original = try Image(png: Self.picture("picture"))
    #expect((whole.width, whole.height) == (80, 64))
    #expect(whole[0, 0] == original[0, 0] && whole[46, 34] != original[46, 34])
    #expect(try Image(png: program.file("a.png").path) != Image(png: program.file("b.png").path))
  }

  @Test func twoPassesAndVariations() throws {
    let program = try Program()
    defer { program.remove() }
    let size = "--width 24 --height 16"
    let first = try Self.run(
      program, "generate", "\(size) --hires 2 --hires-strength 0.7 --out h.png")
    #expect(first.code == 0, "\(first.errors)")
    let image = try Image(png: program.file("h.png").path)
    #expect((image.width, image.height) == (48, 32))
    try Self.expectReproduced(program, "h")
    let second = try Self.run(
      program, "generate",
      "\(size) --variation-seed 8 --variation-strength 0.3 --count 2 --out v%d.png")
    #expect(second.code == 0, "\(second.errors)")
    try Self.expectReproduced(program, "v1")
    #expect(try Image(png: program.file("v0.png").path) != Image(png: program.file("v1.png").path))
  }

  @Test func roomAroundAPicture() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try Self.run(
      program, "outpaint",
      "--init-image \(Self.picture("small")) --left 10 --bottom 6 --overlap 2 --fill noise "
        + "--out o.png")
    #expect(outcome.code == 0, "\(outcome.errors)")
    // Two pixels more at the left and two below make multiples of four.
    let (image, original) = (
      try Image(png: program.file("o.png").path), try Image(png: Self.picture("small"))
    )
    #expect((image.width, image.height) == (52, 40))
    #expect(image[12 + 20, 10] == original[20, 10] && image[51, 0] == original[39, 0])
    try Self.expectReproduced(program, "o")
  }

  @Test func theWayBetweenTwoPictures() throws {
    let program = try Program()
    defer { program.remove() }
    let size = "--width 24 --height 16"
    let outcome = try Self.run(
      program, "interpolate", "\(size) --to-prompt dog --to-seed 9 --count 3 --out i%d.png")
    #expect(outcome.code == 0, "\(outcome.errors)")
    try Self.expectReproduced(program, "i1")
    let start = try Self.run(program, "generate", "\(size) --out a.png")
    #expect(start.code == 0, "\(start.errors)")
    let end = try program.run(
      ["generate", "--model", Self.text, "--prompt", "dog", "--seed", "9", "--steps", "3"]
        + "\(size) --out b.png".split(separator: " ").map(String.init))
    #expect(end.code == 0, "\(end.errors)")
    for (frame, alone) in [("i0", "a"), ("i2", "b")] {
      let (one, other) = (
        try Image(png: program.file("\(frame).png").path),
        try Image(png: program.file("\(alone).png").path)
      )
      let worst = zip(one.samples, other.samples).map { abs(Int($0) - Int($1)) }.max() ?? 255
      #expect(worst <= 1, "frame \(frame) is off its end by \(worst)")
    }
  }

  @Test func wrongUsageIsSaid() throws {
    let program = try Program()
    defer { program.remove() }
    let small = Self.picture("small")
    let cases = [
      ("generate", "--strength 0.5 --out a.png", "--strength belongs to a picture"),
      ("generate", "--init-image \(small) --mask-blur 2 --out a.png", "belong to a mask"),
      ("generate", "--init-image \(small) --strength 0.2 --out a.png", "is less than one"),
      ("generate", "--hires-strength 0.5 --out a.png", "ask for one by --hires"),
      ("outpaint", "--init-image \(small) --out a.png", "no side has room"),
      ("upscale", "--init-image \(small) --out a.png", "not trained to enlarge"),
      ("interpolate", "--to-seed 1 --out a.png", "--count takes 2 pictures or more"),
      ("interpolate", "--count 2 --out a%d.png", "Give --to-prompt, --to-seed or both"),
    ]
    for (verb, line, message) in cases {
      let outcome = try Self.run(program, verb, line)
      #expect(outcome.code == 64 && outcome.errors.contains(message), "\(outcome.errors)")
    }
    #expect(program.files.isEmpty)
  }

  /// The map that makes previews is kept beside the model, here a copy.
  @Test func aFilmThatIsInterruptedKeepsItsFrames() throws {
    let (program, home) = (try Program(), try Program())
    defer {
      program.remove()
      home.remove()
    }
    let model = home.file("model").path
    try FileManager.default.copyItem(atPath: Self.text, toPath: model)
    let outcome = try Self.run(
      program, "interpolate", "--to-seed 9 --count 400 --preview 2 --out i%03d.png", model: model,
      interruptAfter: 4)
    #expect(FileManager.default.fileExists(atPath: model + "/latent-preview.json"))
    #expect(outcome.code == 130, "\(outcome.errors)")
    let frames = program.files.filter { !$0.contains("preview") }
    #expect(frames.count >= 2 && frames.count < 400)
    for file in program.files { _ = try Image(png: program.file(file).path) }
  }
}
