import ArgumentParser
import DiffusionPipelines

/// The options of models that draw from texts.
struct TextArguments: ParsableArguments {
  @Option(
    help: """
      What the picture is to show; words may have weights: a (red:1.3) fox. <lora:NAME:WEIGHT> adds an adapter of --lora-dir, \
      the name of a file of --embedding-dir its learned word.
      """)
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
      A file of changes of weights (LoRA, LoHa, LoKr, DoRA), with a weight behind a colon where it is not 1: \
      style.safetensors:0.8; with two, text encoders have the first. Repeatable.
      """)
  var lora: [String] = []

  @Option(
    help: """
      A file with a learned word (textual inversion), which a prompt names as the file is named, or as it says. Repeatable.
      """)
  var embedding: [String] = []

  @Option(
    help: """
      The folder of what <lora:NAME:WEIGHT> in a prompt names (default: DIFFUSION_LORA_DIR, else a folder Lora or loras \
      beside the model or up to two folders above).
      """)
  var loraDir: String?

  @Option(
    help: """
      The folder of learned words that a prompt names by their files (default: DIFFUSION_EMBEDDING_DIR, else a folder \
      embeddings beside the model or up to two folders above).
      """)
  var embeddingDir: String?

  /// The first option that was given, by its name.
  var given: String? {
    let all: [(String, Bool)] = [
      ("prompt", prompt != nil), ("negative", negative != nil), ("width", width != nil),
      ("height", height != nil), ("clip-skip", clipSkip != nil), ("lora", !lora.isEmpty),
      ("embedding", !embedding.isEmpty), ("lora-dir", loraDir != nil),
      ("embedding-dir", embeddingDir != nil),
    ]
    return all.first { $0.1 }?.0 ?? files.given ?? memory.given
  }

  func validate() throws {
    if let clipSkip, clipSkip < 1 {
      throw ValidationError("--clip-skip takes a number of 1 or more, not \(clipSkip).")
    }
  }

  /// What the prompts name.
  func named(beside model: String) throws(PipelineError) -> PromptFiles {
    try PromptFiles(
      prompt: prompt ?? "", negative: negative ?? "", model: model, adapterFolder: loraDir,
      wordFolder: embeddingDir)
  }

  /// Files of changes, those that are given and those that prompts name.
  private func adapters(_ named: PromptFiles) -> [LoRAFile] {
    lora.map(LoRAFile.init(parsing:)) + named.adapters
  }

  /// The model with what files of changes and words add, those that are given and those that prompts name. Where memory was
  /// asked about, changed weights take no more than they did.
  func adapted(_ model: LatentModel, _ named: PromptFiles) throws(PipelineError) -> LatentModel {
    try model.applying(adapters(named), keepsTypes: memory.given != nil)
      .addingWords(from: embedding + named.words)
  }

  /// Puts down what these options say of a picture.
  func note(in recipe: inout PictureRecipe, _ named: PromptFiles) {
    (recipe.prompt, recipe.negative) = (prompt, negative)
    (recipe.variant, recipe.vae, recipe.prediction) = (files.variant, files.vae, files.prediction)
    recipe.textEncoder = files.textEncoder.isEmpty ? nil : files.textEncoder
    recipe.precision = memory.precision == .f32 ? nil : memory.precision.rawValue
    (recipe.width, recipe.height, recipe.clipSkip) = (width, height, clipSkip)
    recipe.lora = lora.isEmpty ? nil : lora
    recipe.embedding = embedding.isEmpty ? nil : embedding
    (recipe.loraDir, recipe.embeddingDir) = (named.adapterFolder, named.wordFolder)
  }

  /// The request for pictures of a text.
  func request(_ pictures: ImageRequest, _ named: PromptFiles) -> TextRequest {
    TextRequest(
      prompt: named.prompt, negative: named.negative, height: height, width: width,
      skippedLayers: clipSkip.map { $0 - 1 }, pictures: pictures)
  }

  /// Reads the model as the memory that it may take asks for, with the plan of it.
  ///
  /// - Parameter pictures: what is drawn, of the model's usual size where that is 0.
  func model(
    _ path: String, drawing pictures: MemoryPlan.Pictures, _ named: PromptFiles,
    _ notes: inout [String]
  ) throws -> (LatentModel, MemoryPlan) {
    let parts = try LatentParts(path: path, options: files.options, notes: &notes)
    var pictures = pictures
    pictures.width = width ?? (pictures.width > 0 ? pictures.width : parts.usualSide)
    pictures.height = height ?? (pictures.height > 0 ? pictures.height : parts.usualSide)
    let plan = try memory.plan(parts, drawing: pictures, adapters: adapters(named))
    return (try LatentModel(parts, memory: plan.measures, path: path), plan)
  }
}
