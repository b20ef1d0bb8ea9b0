import ArgumentParser
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCore

/// A verb that draws pictures by ``DrawingArguments``.
protocol DrawingCommand: AsyncParsableCommand {
  var drawing: DrawingArguments { get }
  var text: TextArguments { get }

  /// What is drawn. A ``PipelineError/request(part:problem:)`` is wrong usage.
  func run(_ notes: inout [String]) throws -> PictureRun
}

extension DrawingCommand {
  /// Draws, and prints the pictures' paths.
  func run() async throws { try await run(printingPaths: drawing.report.json == nil) }

  func run(printingPaths: Bool) async throws {
    drawing.engine.apply()
    try await Backend.$products.withValue(text.memory.products) {
      try await drawHere(printingPaths: printingPaths)
    }
  }

  private func drawHere(printingPaths: Bool) async throws {
    let output = try PictureOutput(path: drawing.out, count: drawing.count)
    var notes: [String] = []
    let run: PictureRun
    do {
      run = try self.run(&notes)
    } catch PipelineError.request(let part, let problem) {
      throw ValidationError("--\(part): \(problem)")
    }
    if drawing.fast { notes.append(FastFigures.note(model: drawing.model, run.generation.request)) }
    for note in notes { Console.note("note: \(note)") }
    try await run.draw(drawing, to: output, printingPaths: printingPaths)
  }
}

/// Pictures that are to be drawn, and what each is drawn by.
struct PictureRun {
  let generation: ImageGeneration
  /// How each picture is drawn again.
  let recipe: (Int) -> PictureRecipe

  private struct Picture {
    let image: Image
    let entry: GenerationReport.Picture
  }

  /// Draws the pictures, writes them, and reports.
  func draw(
    _ drawing: DrawingArguments, to output: PictureOutput, printingPaths: Bool
  ) async throws {
    let request = generation.request
    Console.note("seed \(request.seed)")
    Interruption.watch()
    let start = ContinuousClock.now
    let pictures = try await pictures(output, previewing: drawing.preview)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if drawing.engine.verbose {
      Console.note("memory: \(MemoryPlan.text(ProcessMemory.peak)) at most were taken")
    }
    try output.writeGrid(pictures.map(\.image))
    func counted(_ count: Int, _ word: String) -> String {
      "\(count) \(word)\(count == 1 ? "" : "s")"
    }
    Console.note(
      "\(counted(pictures.count, "picture")) of \(counted(drawing.steps, "step")) in "
        + String(format: "%.1f s", seconds))
    if printingPaths { for path in output.paths { print(path) } }
    try drawing.report.write(
      GenerationReport(
        seed: request.seed, seconds: seconds, steps: drawing.steps, backend: Backend.summary,
        grid: output.gridPath, pictures: pictures.map(\.entry)))
  }

  /// Draws and writes each batch as it is finished, so that what is finished stays when the user stops.
  private func pictures(
    _ output: PictureOutput, previewing every: Int?
  ) async throws -> [Picture] {
    var pictures: [Picture] = []
    let start = ContinuousClock.now
    defer { Console.endProgress() }
    for try await step in generation {
      if step.finishesBatch {
        for (index, image) in zip(step.pictures, step.images) {
          pictures.append(try write(image, index, to: output))
        }
      } else if let every, (step.step + 1) % every == 0 {
        for (index, image) in zip(step.pictures, step.images) {
          try image.writePNG(to: output.previewPath(of: index))
        }
      }
      let left =
        (ContinuousClock.now - start) / .seconds(1)
        * Double(step.stepCount - step.stepsDone) / Double(step.stepsDone)
      Console.progress(
        Console.bar(step.stepsDone, of: step.stepCount, String(format: "%.0f s left", left)))
      if Interruption.isRequested && step.stepsDone < step.stepCount {
        throw StoppedByUser(
          message: "stopped; \(pictures.count) of \(output.paths.count) pictures are finished "
            + "and kept")
      }
    }
    return pictures
  }

  private func write(
    _ image: Image, _ index: Int, to output: PictureOutput
  ) throws -> Picture {
    let (path, recipe) = (output.paths[index], recipe(index))
    try image.writePNG(
      to: path, text: recipe.texts(width: image.width, height: image.height))
    try? FileManager.default.removeItem(atPath: output.previewPath(of: index))
    return Picture(
      image: image,
      entry: .init(
        path: path, seed: recipe.seed ?? generation.request.seed, class: recipe.class))
  }
}

/// What `--json` gives.
private struct GenerationReport: Encodable {
  struct Picture: Encodable {
    let path: String
    let seed: UInt64
    let `class`: Int?
  }

  let seed: UInt64
  let seconds: Double
  let steps: Int
  let backend: String
  let grid: String?
  let pictures: [Picture]
}
