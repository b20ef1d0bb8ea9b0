import ArgumentParser
import DiffusionImages
import DiffusionPipelines
import Foundation

/// `diffusion reproduce`: draws again what a picture's file says how it was drawn.
struct ReproduceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Draws a picture again by what its file says.",
    discussion: """
      Reads the texts that this engine, AUTOMATIC1111's web UI, ComfyUI and stable-diffusion.cpp leave in pictures (PNG, and \
      EXIF of JPEG and WebP). What was drawn by this engine comes out byte for byte, on the same kernels. What cannot be done \
      as the file says is listed.

      Example:
        diffusion reproduce digit.png --out again.png
        diffusion reproduce 00012-965400086.png --model stable-diffusion-v1-5 --out again.png
      """)

  @Argument(help: "The picture.")
  var file: String

  @Option(help: "The model, where the file does not say where it is, or to draw with another one.")
  var model: String?

  @Option(help: "An adapter's file, with its weight behind a colon; in place of the file's.")
  var lora: [String] = []

  @Option(
    help: """
      The folder of the adapters that the file names (default: DIFFUSION_LORA_DIR, else a folder Lora or loras beside the \
      model or up to two folders above).
      """)
  var loraDir: String?

  @Option(
    help: """
      The folder of the learned words that the file's texts name (default: DIFFUSION_EMBEDDING_DIR, else a folder \
      embeddings beside the model or up to two folders above).
      """)
  var embeddingDir: String?

  @Option(help: "The PNG file to write (default: the picture's name with -again behind it, here).")
  var out: String?

  @OptionGroup var engine: EngineOptions
  @OptionGroup var report: JSONOption

  func run() async throws {
    var reading = try RecipeReading(of: PictureFile(reading: file), path: file)
    if let model { reading.recipe.model = model }
    try find(in: &reading)
    Console.note("drawn by \(reading.origin.rawValue)")
    for remark in remarks(reading) {
      Console.note("not honoured: \(remark.field) \(remark.value): \(remark.reason)")
    }
    let (target, verb) = (out ?? again, reading.recipe.verb ?? "generate")
    let arguments = reading.recipe.arguments + ["--out=\(target)"]
    try report.write(
      Report(
        origin: reading.origin, recipe: reading.recipe, remarks: remarks(reading),
        arguments: [verb] + arguments))
    guard reading.origin == .own || reading.recipe.model != nil else {
      throw ValidationError("--model: the file does not say where its model is; give its path.")
    }
    let threads = engine.threads.map { ["--threads=\($0)"] } ?? []
    let parsed = try DiffusionCommand.parseAsRoot(
      [verb] + arguments + threads + (engine.verbose ? ["--verbose"] : []))
    guard let command = parsed as? any DrawingCommand else {
      throw PipelineError.recipe(
        path: file, problem: "\(verb) is no verb that draws pictures; is it of a newer version?")
    }
    try await command.run(printingPaths: report.json == nil)
  }

  /// What the given options do not answer.
  private func remarks(_ reading: RecipeReading) -> [RecipeReading.Remark] {
    reading.remarks.filter { remark in
      !(model != nil && remark.reason.hasSuffix("give it with --model"))
        && !((!lora.isEmpty || reading.recipe.loraDir != nil)
          && remark.reason.hasSuffix("--lora"))
        && !(reading.recipe.embeddingDir != nil && remark.reason.hasSuffix("--embedding-dir"))
    }
  }

  /// Puts what was given in place of the file's adapters, or those it names into the prompt where there is a folder.
  private func find(in reading: inout RecipeReading) throws {
    let model = reading.recipe.model ?? ""
    if let embeddingDir { reading.recipe.embeddingDir = embeddingDir }
    if reading.origin != .own,
      let words = try NamedFiles(
        .words, given: embeddingDir, beside: model)
    {
      reading.recipe.embeddingDir = words.folder
    }
    if !lora.isEmpty {
      reading.recipe.lora = lora
      return
    }
    if let loraDir { reading.recipe.loraDir = loraDir }
    guard !reading.adapters.isEmpty,
      let files = try NamedFiles(.adapters, given: loraDir, beside: model)
    else { return }
    reading.recipe.loraDir = files.folder
    let tags = reading.adapters.map { " \($0)" }.joined()
    reading.recipe.prompt = (reading.recipe.prompt ?? "") + tags
  }

  private var again: String {
    URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent + "-again.png"
  }

  private struct Report: Encodable {
    let origin: RecipeReading.Origin
    let recipe: PictureRecipe
    let remarks: [RecipeReading.Remark]
    let arguments: [String]
  }
}
