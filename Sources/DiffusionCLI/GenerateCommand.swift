import ArgumentParser
import DiffusionModels
import DiffusionPipelines

/// `diffusion generate`: pictures from a model.
struct GenerateCommand: DrawingCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Draws pictures.",
    discussion: """
      Without --model the handwritten digits that come with the engine are drawn. Picture i has seed + i: it is the \
      same bytes in any batch, with any number of threads and whatever the count.

      Example:
        diffusion generate --class 7 --count 20 --seed 1 --out d%03d.png
        diffusion generate --model sd15 --prompt "a red fox" \\
          --init-image sketch.png --strength 0.6 --out fox.png
        diffusion generate --model sd15 --prompt "a hat" --init-image fox.png \\
          --mask head.png --masked-area --out hat.png
        diffusion generate --model sd15 --prompt "a fox <lora:ink:0.8>" \\
          --lora-dir loras --out ink.png
        diffusion generate --model sd-turbo --prompt "a red fox" --steps 1 \\
          --guidance 0 --out fox.png
        diffusion generate --model sd15 --prompt "a red fox" --sampler lcm \\
          --lora lcm-lora-sdv1-5.safetensors --steps 4 --guidance 1 --out fox.png
      """)

  @OptionGroup var drawing: DrawingArguments

  @Option(
    name: .customLong("class"),
    help: "The class to draw. Given more than once, pictures take the classes in turn.")
  var classes: [Int] = []

  @OptionGroup var text: TextArguments
  @OptionGroup var picture: PictureArguments
  @OptionGroup var refinement: RefinementArguments

  func run(_ notes: inout [String]) throws -> PictureRun {
    if let path = drawing.model, try LatentModel.isLatentModel(path) { return try latent(&notes) }
    return try pixels(&notes)
  }

  private func latent(_ notes: inout [String]) throws -> PictureRun {
    if !classes.isEmpty {
      throw ValidationError("--class: the model draws from texts; use --prompt")
    }
    let input = try picture.input()
    var pictures = MemoryPlan.Pictures(width: 0, height: 0, enlargement: refinement.hires)
    if let input {
      pictures.isFromPicture = true
      if input.mask?.areaPadding == nil {
        (pictures.width, pictures.height) = (input.image.width, input.image.height)
      }
    }
    var run = try LatentRun(drawing, text, pictures: pictures, notes: &notes)
    refinement.change(&run.request)
    return try run.run(from: input) { recipe, index in
      picture.note(in: &recipe)
      refinement.note(in: &recipe, of: index)
    }
  }

  private func pixels(_ notes: inout [String]) throws -> PictureRun {
    if let option = text.given ?? picture.given ?? refinement.given {
      throw ValidationError(
        "--\(option): only models that draw from texts have it; give one with --model")
    }
    let location = drawing.model.map(ModelLocation.path) ?? .embedded
    let model = try location.load(notes: &notes)
    let pipeline = ImagePipeline(model: model, decoder: try location.decoder(notes: &notes))
    let request = try drawing.request(
      process: model.configuration.process, classes: classes, guidance: 1.2, batch: 64)
    return PictureRun(generation: try pipeline.generate(request)) { index in
      var recipe = drawing.recipe(of: request)
      (recipe.class, recipe.seed) = (request.classes[index], request.seed(of: index))
      return recipe
    }
  }
}
