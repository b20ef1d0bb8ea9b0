import ArgumentParser
import DiffusionPipelines

/// The options of models that draw from texts.
struct TextArguments: ParsableArguments {
  @Option(help: "What the picture is to show; words may have weights: a (red:1.3) fox.")
  var prompt: String?

  @Option(help: "What the picture is not to show.")
  var negative: String?

  @Option(help: "The picture's width in pixels (default: what the model was trained on).")
  var width: Int?

  @Option(help: "The picture's height in pixels.")
  var height: Int?

  @Option(
    help: """
      Which of the text encoder's layers is looked at, counted from the last: 1 is the last, 2 the one before \
      (default: what the model was trained with).
      """)
  var clipSkip: Int?

  @OptionGroup var files: PartArguments
  @OptionGroup var memory: MemoryArguments

  @Option(
    help: """
      A file of low-rank changes (LoRA), with a weight behind a colon where it is not 1: style.safetensors:0.8. Repeatable.
      """)
  var lora: [String] = []

  @Option(
    help: """
      A file with a learned word (textual inversion), which a prompt names as the file is named, or as it says. Repeatable.
      """)
  var embedding: [String] = []

  /// The first option that was given, by its name.
  var given: String? {
    let all: [(String, Bool)] = [
      ("prompt", prompt != nil), ("negative", negative != nil), ("width", width != nil),
      ("height", height != nil), ("clip-skip", clipSkip != nil), ("lora", !lora.isEmpty),
      ("embedding", !embedding.isEmpty),
    ]
    return all.first { $0.1 }?.0 ?? files.given ?? memory.given
  }

  func validate() throws {
    if let clipSkip, clipSkip < 1 {
      throw ValidationError("--clip-skip takes a number of 1 or more, not \(clipSkip).")
    }
  }

  /// The model with what its files of changes and words add. Where memory was asked about, changed weights take no more
  /// than they did.
  func adapted(_ model: LatentModel) throws(PipelineError) -> LatentModel {
    try model.applying(lora.map(LoRAFile.init(parsing:)), keepsTypes: memory.given != nil)
      .addingWords(from: embedding)
  }

  /// Puts down what these options say of a picture.
  func note(in recipe: inout PictureRecipe) {
    (recipe.prompt, recipe.negative) = (prompt, negative)
    (recipe.variant, recipe.vae, recipe.prediction) = (files.variant, files.vae, files.prediction)
    recipe.textEncoder = files.textEncoder.isEmpty ? nil : files.textEncoder
    recipe.precision = memory.precision == .f32 ? nil : memory.precision.rawValue
    (recipe.width, recipe.height, recipe.clipSkip) = (width, height, clipSkip)
    recipe.lora = lora.isEmpty ? nil : lora
    recipe.embedding = embedding.isEmpty ? nil : embedding
  }

  /// The request for pictures of a text.
  func request(_ pictures: ImageRequest) -> TextRequest {
    TextRequest(
      prompt: prompt ?? "", negative: negative ?? "", height: height, width: width,
      skippedLayers: clipSkip.map { $0 - 1 }, pictures: pictures)
  }

  /// Reads the model as the memory that it may take asks for, with the plan of it.
  func model(
    _ path: String, batch: Int, _ notes: inout [String]
  ) throws -> (LatentModel, MemoryPlan) {
    let parts = try LatentParts(path: path, options: files.options, notes: &notes)
    let side = parts.usualSide
    let plan = try memory.plan(
      parts, drawing: .init(width: width ?? side, height: height ?? side, batch: batch))
    return (try LatentModel(parts, memory: plan.measures, path: path), plan)
  }
}
