import DiffusionImages
import Foundation
import TensorCheckpoints
import TestSupport
import Testing

/// `diffusion classify` and `diffusion retrieve`.
@Suite struct ContrastiveTests {
  static let model = Shared.golden.appendingPathComponent("clip/folder").path
  static let pictures = Shared.golden.appendingPathComponent("pictures")

  @Test func labelsComeAsATableAndAsJSON() throws {
    let program = try Program()
    defer { program.remove() }
    let image = Self.pictures.appendingPathComponent("full.jpg").path
    let base = ["classify", image, "--labels", "cat, red dog,and", "--model", Self.model]
    let table = try program.run(base)
    #expect(table.code == 0, "\(table.errors)")
    let lines = table.output.split(separator: "\n")
    #expect(lines.count == 4 && lines[0].hasPrefix("label    probability  cosine"))
    let json = try program.run(base + ["--template", "a {}", "--template", "{}", "--json"])
    let report = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let labels = try #require(report?["labels"] as? [[String: Any]])
    #expect(Set(labels.compactMap { $0["label"] as? String }) == ["cat", "red dog", "and"])
    let sum = labels.compactMap { $0["probability"] as? Double }.reduce(0, +)
    #expect(abs(sum - 1) < 1e-5)
    let twice = try program.run(["classify", image, "--labels", "a,a", "--model", Self.model])
    #expect(twice.code == 64 && twice.errors.contains("--labels"))
    let none = try program.run(base + ["--template", "a"])
    #expect(none.code == 64 && none.errors.contains("--template"))
  }

  @Test func picturesAreFoundShownAndRemembered() throws {
    let program = try Program()
    defer { program.remove() }
    let folder = program.file("photos")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("more"), withIntermediateDirectories: true)
    for (name, target) in [
      ("full.jpg", "full.jpg"), ("lossy_alpha.webp", "more/lossy.webp"), ("grey.jpg", "grey.jpg"),
    ] {
      try FileManager.default.copyItem(
        at: Self.pictures.appendingPathComponent(name),
        to: folder.appendingPathComponent(target))
    }
    let base = ["--folder", "photos", "--model", Self.model, "--index", "photos.index"]
    let first = try program.run(["retrieve", "a cat"] + base + ["--sheet", "found.png"])
    #expect(first.code == 0, "\(first.errors)")
    #expect(first.errors.contains("3 pictures added, 0 changed, 0 removed, 0 as they were"))
    #expect(first.output.split(separator: "\n").count == 4)
    let sheet = try Image(png: program.file("found.png").path)
    #expect(sheet.width == 2 * 130 + 2 && sheet.height == 2 * 130 + 2)

    let second = try program.run(
      ["retrieve", "photos/grey.jpg"] + base + ["--top", "1", "--json", "--sheet", "found.svg"])
    #expect(second.errors.contains("0 pictures added, 0 changed, 0 removed, 3 as they were"))
    let report = try JSONSerialization.jsonObject(with: Data(second.output.utf8)) as? [String: Any]
    #expect(report?["kind"] as? String == "picture")
    let results = try #require(report?["results"] as? [[String: Any]])
    #expect(results.count == 1 && (results[0]["path"] as? String)?.hasSuffix("grey.jpg") == true)
    let svg = try String(contentsOf: program.file("found.svg"), encoding: .utf8)
    #expect(svg.contains("grey.jpg") && svg.contains("<image"))

    let bare = try Program()
    defer { bare.remove() }
    let empty = try bare.run(["retrieve", "a", "--folder", ".", "--model", Self.model])
    #expect(empty.code == 64 && empty.errors.contains("no pictures"))
  }

  @Test func latentsGoOutAndComeBack() throws {
    let program = try Program()
    defer { program.remove() }
    let model = Shared.golden.appendingPathComponent("pipeline_text").path
    let image = Self.pictures.appendingPathComponent("turned6.jpg").path
    let encoded = try program.run(["encode", image, "--out", "l.safetensors", "--model", model])
    #expect(encoded.code == 0, "\(encoded.errors)")
    #expect(encoded.errors.contains("of 22 x 37 pixels the middle 20 x 36 is encoded"))
    let file = try SafetensorsFile(path: program.file("l.safetensors").path)
    #expect(try file.tensor(named: "latents").shape == [1, 4, 9, 5])
    let decoded = try program.run(
      ["decode", "l.safetensors", "--out", "p.png", "--model", model + "/vae"])
    #expect(decoded.code == 0, "\(decoded.errors)")
    let picture = try Image(png: program.file("p.png").path)
    #expect(picture.width == 20 && picture.height == 36 && picture.channels == 3)
    let wrong = try program.run(
      [
        "decode", Shared.golden.appendingPathComponent("clip/expected.safetensors").path,
        "--out", "p.png", "--model", model,
      ])
    #expect(wrong.code == 64 && wrong.errors.contains("expected one tensor"), "\(wrong.errors)")
  }
}
