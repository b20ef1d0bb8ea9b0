import ArgumentParser
import Diffusion
import DiffusionImages
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCore

/// `diffusion generate`: pictures from a model.
struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Draws pictures.",
    discussion: """
      Without --model the handwritten digits that come with the engine are drawn. Picture i has seed + i: it is the \
      same bytes in any batch, with any number of threads and whatever the count.

      Example:
        diffusion generate --class 7 --count 20 --seed 1 --out d%03d.png
      """)

  @Option(
    help: """
      The PNG file to write. With --count above 1 a pattern such as d%03d.png (counting from 0), or the file of a grid, \
      beside which the single pictures are put.
      """)
  var out: String

  @Option(help: "A model: an exported one, a training checkpoint or run, or a diffusers folder.")
  var model: String?

  @Option(
    name: .customLong("class"),
    help: "The class to draw. Given more than once, pictures take the classes in turn.")
  var classes: [Int] = []

  @OptionGroup var text: TextArguments

  @Option(help: "How many pictures.")
  var count = 1

  @Option(
    help: """
      Pictures computed at once; changes speed and memory, not the pictures (default: 64, or 1 where a text is drawn).
      """)
  var batch: Int?

  @Option(help: "Steps of the sampler.")
  var steps = 50

  @Option(
    help: """
      The sampler, by any name that `diffusion samplers` lists (default: the model's own where it comes with one, else \
      what fits the process).
      """)
  var sampler: String?

  @OptionGroup var levels: ScheduleArguments

  @Option(
    help: "Noise put in anew, from 0 (none) to 1 (as much as DDPM), where the sampler has it.")
  var eta: Double?

  @Option(
    name: .customLong("sampler-option"),
    help: """
      An option of the sampler as key=value, such as order=3; `diffusion samplers` lists each sampler's. Repeatable.
      """)
  var samplerOptions: [String] = []

  @Option(
    help: """
      How strongly the class or the text is followed; 1 is the plain conditional model, at half the cost (default: 1.2 \
      for classes, 7.5 for texts).
      """)
  var guidance: Double?

  @Option(help: "The first picture's seed (default: a random one, which is printed).")
  var seed: UInt64?

  @Option(help: "Whose random numbers a seed stands for: torch, numpy or philox.")
  var rng = GeneratorKind.torch

  @OptionGroup var engine: EngineOptions
  @OptionGroup var report: JSONOption

  func validate() throws {
    if count < 1 { throw ValidationError("--count takes a number of 1 or more, not \(count).") }
    if let batch, batch < 1 {
      throw ValidationError("--batch takes a number of 1 or more, not \(batch).")
    }
    if steps < 1 { throw ValidationError("--steps takes a number of 1 or more, not \(steps).") }
  }

  func run() async throws { try await run(printingPaths: report.json == nil) }

  func run(printingPaths: Bool) async throws {
    engine.apply()
    let output = try PictureOutput(path: out, count: count)
    var notes: [String] = []
    let generation = try generation(&notes)
    for note in notes { Console.note("note: \(note)") }
    let request = generation.request
    Console.note("seed \(request.seed)")
    Interruption.watch()
    let start = ContinuousClock.now
    let pictures = try await draw(generation, to: output)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    try output.writeGrid(pictures.map(\.image))
    Console.note(
      String(format: "%d pictures of %d steps in %.1f s", count, steps, seconds))
    if printingPaths { for path in output.paths { print(path) } }
    try report.write(
      GenerationReport(
        seed: request.seed, seconds: seconds, steps: steps, backend: Backend.summary,
        grid: output.gridPath, pictures: pictures.map(\.entry)))
  }

  /// - Parameter process: what the model was trained on; where it names a scheduler, that is the default.
  private func request(
    process: ProcessConfiguration, guidance usual: Double, batch usualBatch: Int
  ) throws -> ImageRequest {
    let name = sampler ?? process.solverName ?? process.defaultSampler
    return ImageRequest(
      classes: (0..<count).map { classes.isEmpty ? nil : classes[$0 % classes.count] },
      steps: steps, sampler: name,
      options: try solverOptions(of: name, from: sampler == nil ? process.solverOptions : nil),
      schedule: levels.schedule, scheduleOptions: levels.options, guidance: guidance ?? usual,
      seed: seed ?? UInt64.random(in: 0..<1 << 32), generator: rng,
      batchSize: batch ?? usualBatch)
  }

  /// The options of a sampler: those of the model's own scheduler, and what was asked for.
  private func solverOptions(
    of name: String, from usual: SolverOptions?
  ) throws -> SolverOptions {
    var options = usual ?? SolverOptions()
    guard let entry = SolverCatalog.entry(named: name) else { return options }
    let given = (eta.map { ["eta=\($0)"] } ?? []) + samplerOptions
    for option in given {
      let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw ValidationError("--sampler-option takes key=value, not \(option).")
      }
      do throws(InvalidSolverOption) {
        try options.set(parts[0], to: parts[1], for: entry)
      } catch {
        let flag = error.name == "eta" ? "--" : "--sampler-option "
        throw ValidationError(flag + error.description)
      }
    }
    return options
  }

  private struct Picture {
    let image: Image
    let entry: GenerationReport.Picture
  }

  /// Draws and writes each batch as it is finished, so that what is finished stays when the user stops.
  private func draw(
    _ generation: ImageGeneration, to output: PictureOutput
  ) async throws -> [Picture] {
    let request = generation.request
    var pictures: [Picture] = []
    let start = ContinuousClock.now
    defer { Console.endProgress() }
    for try await step in generation {
      if step.finishesBatch {
        for (index, image) in zip(step.pictures, step.images) {
          let path = output.paths[index]
          let recipe = recipe(of: index, in: request)
          try image.writePNG(
            to: path, text: recipe.texts(width: image.width, height: image.height))
          pictures.append(
            Picture(
              image: image,
              entry: .init(
                path: path, seed: request.seed(of: index), class: request.classes[index])))
        }
      }
      let left =
        (ContinuousClock.now - start) / .seconds(1)
        * Double(step.stepCount - step.stepsDone) / Double(step.stepsDone)
      Console.progress(
        Console.bar(step.stepsDone, of: step.stepCount, String(format: "%.0f s left", left)))
      if Interruption.isRequested && step.stepsDone < step.stepCount {
        throw StoppedByUser(
          message: "stopped; \(pictures.count) of \(count) pictures are finished and kept")
      }
    }
    return pictures
  }

  /// The steps that make the pictures. A request that the model cannot serve is wrong usage.
  private func generation(_ notes: inout [String]) throws -> ImageGeneration {
    do {
      if let model, LatentModel.isFolder(model) { return try latent(model, &notes) }
      return try pixels(&notes)
    } catch PipelineError.request(let part, let problem) {
      throw ValidationError("--\(part): \(problem)")
    }
  }

  private func latent(_ folder: String, _ notes: inout [String]) throws -> ImageGeneration {
    if !classes.isEmpty {
      throw ValidationError("--class: the model draws from texts; use --prompt")
    }
    let model = try text.adapted(
      LatentModel(folder: folder, variant: text.variant, notes: &notes))
    let pictures = try request(process: model.process, guidance: 7.5, batch: 1)
    return try LatentPipeline(model: model).generate(text.request(pictures))
  }

  private func pixels(_ notes: inout [String]) throws -> ImageGeneration {
    if let option = text.given {
      throw ValidationError(
        "--\(option): only models that draw from texts have it; give one with --model")
    }
    let model = try (model.map(ModelLocation.path) ?? .embedded).load(notes: &notes)
    return try ImagePipeline(model: model).generate(
      try request(process: model.configuration.process, guidance: 1.2, batch: 64))
  }

  /// What it takes to draw a picture again. Every option that a picture depends on is here: a test compares them.
  private func recipe(of index: Int, in request: ImageRequest) -> PictureRecipe {
    var recipe = PictureRecipe()
    recipe.version = DiffusionCommand.configuration.version
    (recipe.model, recipe.variant) = (model, text.variant)
    (recipe.prompt, recipe.negative) = (text.prompt, text.negative)
    recipe.class = request.classes[index]
    (recipe.width, recipe.height, recipe.clipSkip) = (text.width, text.height, text.clipSkip)
    (recipe.steps, recipe.sampler, recipe.schedule) = (steps, request.sampler, levels.schedule)
    (recipe.shift, recipe.rho) = (levels.shift, levels.rho)
    (recipe.sigmaMin, recipe.sigmaMax) = (levels.sigmaMin, levels.sigmaMax)
    recipe.eta = request.options.eta
    let options = request.options.given.filter { $0.name != "eta" }
    recipe.samplerOption = options.isEmpty ? nil : options.map { "\($0.name)=\($0.text)" }
    recipe.lora = text.lora.isEmpty ? nil : text.lora
    recipe.embedding = text.embedding.isEmpty ? nil : text.embedding
    recipe.guidance = request.guidance
    (recipe.seed, recipe.rng) = (request.seed(of: index), rng)
    return recipe
  }
}

extension GeneratorKind: ExpressibleByArgument {}

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
