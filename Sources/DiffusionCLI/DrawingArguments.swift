import ArgumentParser
import Diffusion
import DiffusionPipelines
import TensorCore

/// What every verb that draws pictures takes.
struct DrawingArguments: ParsableArguments {
  @Option(
    help: """
      The PNG file to write. With --count above 1 a pattern such as d%03d.png (counting from 0), or the file of a grid, \
      beside which the single pictures are put.
      """)
  var out: String

  @Option(
    help: """
      A model: an exported one, a training checkpoint or run, a diffusers folder, a Hugging Face cache folder, or a single \
      file of Stable Diffusion (safetensors, ckpt or GGUF).
      """)
  var model: String?

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
      How strongly the class or the text is followed; 1 is the plain conditional model, at half the cost, as is for texts \
      anything below (0 for models that were made for one to four steps: SD-Turbo, SDXL-Turbo) (default: 1.2 \
      for classes, 7.5 for texts, 9 for enlarging).
      """)
  var guidance: Double?

  @Flag(
    help: """
      Compute the network's deep features at every second evaluation only (DeepCache): about half the time, somewhat \
      different pictures. Documentation/performance.md says how different.
      """)
  var fast = false

  @Option(help: "The first picture's seed (default: a random one, which is printed).")
  var seed: UInt64?

  @Option(help: "Whose random numbers a seed stands for: torch, numpy or philox.")
  var rng = GeneratorKind.torch

  @Option(
    help: """
      Every so many steps, write what a picture looks like becoming beside it, as NAME-preview.png; gone when it is finished.
      """)
  var preview: Int?

  @OptionGroup var engine: EngineOptions
  @OptionGroup var report: JSONOption

  func validate() throws {
    let counts = [
      ("count", count), ("batch", batch ?? 1), ("steps", steps), ("preview", preview ?? 1),
    ]
    for (name, value) in counts where value < 1 {
      throw ValidationError("--\(name) takes a number of 1 or more, not \(value).")
    }
  }

  /// - Parameter process: what the model was trained on; where it names a scheduler, that is the default.
  func request(
    process: ProcessConfiguration, classes: [Int] = [], guidance usual: Double,
    batch usualBatch: Int
  ) throws -> ImageRequest {
    let name = sampler ?? process.solverName ?? process.defaultSampler
    return ImageRequest(
      classes: (0..<count).map { classes.isEmpty ? nil : classes[$0 % classes.count] },
      steps: steps, sampler: name,
      options: try solverOptions(of: name, from: sampler == nil ? process.solverOptions : nil),
      schedule: levels.schedule, scheduleOptions: levels.options, guidance: guidance ?? usual,
      seed: seed ?? UInt64.random(in: 0..<1 << 32), generator: rng,
      batchSize: batch ?? usualBatch, deepInterval: fast ? 2 : 1)
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

  /// What these options say of a picture.
  func recipe(of request: ImageRequest) -> PictureRecipe {
    var recipe = PictureRecipe()
    recipe.version = DiffusionCommand.configuration.version
    recipe.model = model
    (recipe.steps, recipe.sampler, recipe.schedule) = (steps, request.sampler, levels.schedule)
    (recipe.shift, recipe.rho) = (levels.shift, levels.rho)
    (recipe.sigmaMin, recipe.sigmaMax) = (levels.sigmaMin, levels.sigmaMax)
    recipe.eta = request.options.eta
    let options = request.options.given.filter { $0.name != "eta" }
    recipe.samplerOption = options.isEmpty ? nil : options.map { "\($0.name)=\($0.text)" }
    (recipe.guidance, recipe.rng) = (request.guidance, rng)
    recipe.fast = fast ? true : nil
    return recipe
  }
}

extension GeneratorKind: ExpressibleByArgument {}
