import ArgumentParser
import DiffusionImages
import DiffusionPipelines

/// Pictures of a latent model: what the verbs that draw them have in common.
struct LatentRun {
  let drawing: DrawingArguments
  let text: TextArguments
  let model: LatentModel
  private let named: PromptFiles
  /// What is asked for; verbs add to it.
  var request: TextRequest

  /// - Parameter pictures: what is drawn, as far as the verb knows; 0 stands for the usual size.
  init(
    _ drawing: DrawingArguments, _ text: TextArguments, guidance: Double = 7.5,
    pictures: MemoryPlan.Pictures = .init(width: 0, height: 0), notes: inout [String]
  ) throws {
    guard let path = drawing.model else {
      throw ValidationError("--model: give one that draws from texts.")
    }
    guard try LatentModel.isLatentModel(path) else {
      throw ValidationError("--model: \(path) is no model that draws from texts.")
    }
    (self.drawing, self.text, named) = (drawing, text, try text.named(beside: path))
    var pictures = pictures
    pictures.batch = min(drawing.batch ?? 1, drawing.count)
    pictures.isGuided = (drawing.guidance ?? guidance) > 1
    let (loaded, plan) = try text.model(path, drawing: pictures, named, &notes)
    if drawing.engine.verbose { notes.append("memory: \(plan)") }
    notes += (named.adapters.map(\.path) + named.words).map { "the prompt names \($0)" }
    model = try text.adapted(loaded, named)
    request = text.request(
      try drawing.request(process: model.process, guidance: guidance, batch: 1), named)
  }

  /// The run, with what verbs add to every picture's recipe.
  func run(
    from input: PictureInput? = nil, recipe added: @escaping (inout PictureRecipe, Int) -> Void
  ) throws -> PictureRun {
    var pipeline = LatentPipeline(model: model)
    if drawing.preview != nil, let path = drawing.model {
      pipeline.preview = try LatentPreview.kept(for: model.autoencoder, beside: path)
    }
    let (drawing, text, request, named) = (drawing, text, request, named)
    let tile = text.memory.tile(of: model.autoencoder.tiling)
    return PictureRun(generation: try pipeline.generate(request, from: input)) { index in
      var recipe = drawing.recipe(of: request.pictures)
      text.note(in: &recipe, named)
      (recipe.tile, recipe.seed) = (tile, request.seed(of: index))
      added(&recipe, index)
      return recipe
    }
  }
}
