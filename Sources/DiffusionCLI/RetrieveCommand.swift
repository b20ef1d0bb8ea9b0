import ArgumentParser
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCore

/// `diffusion retrieve`: the pictures of a folder that go with a text or another picture.
struct RetrieveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieve",
    abstract: "Find the pictures of a folder that go with a text or a picture, by CLIP.",
    discussion: """
      With --index the pictures' vectors are kept in a file, and only what is new or changed (by path, size and time) is \
      looked at again.

      Example:
        diffusion retrieve "a red bicycle" --folder photos \\
          --model clip-vit-base-patch32 --index photos.index --sheet found.png
        diffusion retrieve shoe.jpg --folder photos \\
          --model clip-vit-base-patch32 --index photos.index --top 5 --json
      """)

  @Argument(help: "A text, or the path of a picture.")
  var query: String

  @Option(help: "The folder; folders in it are searched too.")
  var folder: String

  @Option(help: "The file of vectors, made where it is not there.")
  var index: String?

  @Option(help: "How many pictures.")
  var top = 10

  @Option(help: "A contact sheet of the pictures found, the best first: a .png or an .svg file.")
  var sheet: String?

  @OptionGroup var contrastive: CLIPOptions
  @OptionGroup var engine: EngineOptions
  @OptionGroup var report: JSONOption

  func validate() throws {
    if top < 1 { throw ValidationError("--top takes a number of 1 or more, not \(top).") }
    if let sheet, ![".png", ".svg"].contains(where: { sheet.lowercased().hasSuffix($0) }) {
      throw ValidationError("--sheet takes the name of a .png or .svg file, not \(sheet).")
    }
  }

  func run() throws {
    engine.apply()
    for path in [index, sheet].compactMap({ $0 }) {
      try PictureOutput.expectWritable(fileAt: path)
    }
    var pictures = try index.map { try PictureIndex(path: $0) } ?? PictureIndex()
    let model = try contrastive.read()
    let isPicture = FileManager.default.fileExists(atPath: query)
    let vector =
      try isPicture
      ? model.embedded(pictures: [Image(reading: query)]) : model.embedded(texts: [query])
    let changes = try update(&pictures, with: model)
    let found = pictures.nearest(to: vector, count: top, in: folder)
    guard !found.isEmpty else {
      throw ValidationError(
        "--folder: no pictures (\(PictureFormat.endings.joined(separator: ", "))) are in \(folder)."
      )
    }
    if report.json != "-" {
      let rows = found.enumerated().map { rank, match in
        ["\(rank + 1)", String(format: "%.4f", match.similarity), match.path]
      }
      print(TextTable(["rank", "cosine", "picture"], rows).text)
    }
    if let sheet { try write(found, to: sheet) }
    try report.write(
      Report(query: query, kind: isPicture ? "picture" : "text", results: found, changes: changes))
  }

  /// Brings the index up to date and keeps it, also what was done where the user stops.
  private func update(
    _ pictures: inout PictureIndex, with model: CLIPModel
  ) throws -> PictureIndex.Changes {
    Interruption.watch()
    let changes = try CLIPOptions.checked {
      try pictures.update(folder: folder, with: model) { done, count in
        Console.progress(Console.bar(done, of: count, "pictures"))
        return !Interruption.isRequested
      }
    }
    Console.endProgress()
    for (path, problem) in changes.skipped.sorted(by: { $0.key < $1.key }) {
      Console.note(problem.hasPrefix(path) ? "skipped \(problem)" : "skipped \(path): \(problem)")
    }
    Console.note(
      "\(changes.added) pictures added, \(changes.changed) changed, \(changes.removed) removed, "
        + "\(changes.kept) as they were")
    if let index { try pictures.write(to: index) }
    if Interruption.isRequested {
      throw StoppedByUser(
        message: "stopped" + (index.map { "; what was looked at is kept in \($0)" } ?? ""))
    }
    return changes
  }

  private func write(_ found: [PictureIndex.Match], to path: String) throws {
    let side = 128
    let images = try found.map { match in
      let image = try Image(reading: match.path, over: .white).converted(toChannels: 3)
      let scale = Double(side) / Double(max(image.width, image.height))
      let (width, height) = (
        max(1, Int((Double(image.width) * scale).rounded())),
        max(1, Int((Double(image.height) * scale).rounded()))
      )
      return image.resized(width: width, height: height)
        .centred(width: side, height: side, background: .white)
    }
    guard path.lowercased().hasSuffix(".svg") else {
      return try Image.grid(images, background: .white).writePNG(to: path)
    }
    let rows = zip(found, images).map { match, image in
      (String(format: "%.4f  ", match.similarity) + match.path, [image])
    }
    let sheet = PictureSheet(title: query, rows: rows, scale: 1)
    try Data(sheet.svg().utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  private struct Report: Encodable {
    let query: String
    let kind: String
    let results: [PictureIndex.Match]
    let changes: PictureIndex.Changes
  }
}
