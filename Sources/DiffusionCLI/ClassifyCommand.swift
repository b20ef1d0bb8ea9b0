import ArgumentParser
import DiffusionImages
import DiffusionModels
import DiffusionPipelines
import Foundation

/// `diffusion classify`: which of some labels goes with a picture.
struct ClassifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Say which of some labels goes with a picture, by CLIP.",
    discussion: """
      Example:
        diffusion classify pet.jpg --labels dog,cat,horse --model clip-vit-base-patch32
        diffusion classify 3.png --labels three,eight \\
          --template "a photo of the number {}" --template "{}" --model RN50.pt
      """)

  @Argument(help: "The picture: PNG, JPEG or WebP.")
  var image: String

  @Option(help: "The labels, with commas between.")
  var labels: String

  @Option(
    help: """
      A sentence with {} where the label goes; with several, a label is the mean of its sentences (default: a photo of a {}).
      """)
  var template: [String] = []

  @OptionGroup var contrastive: CLIPOptions
  @OptionGroup var engine: EngineOptions
  @OptionGroup var report: JSONOption

  func run() throws {
    engine.apply()
    let names = labels.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let picture = try Image(reading: image)
    let model = try contrastive.read()
    let ranked = try CLIPOptions.checked {
      try model.classify(
        picture, labels: names, templates: template.isEmpty ? ["a photo of a {}"] : template)
    }
    if report.json != "-" {
      let rows = ranked.map {
        [
          $0.label, String(format: "%.2f %%", 100 * $0.probability),
          String(format: "%.4f", $0.similarity),
        ]
      }
      print(TextTable(["label", "probability", "cosine"], rows).text)
    }
    try report.write(Report(image: image, labels: ranked))
  }

  private struct Report: Encodable {
    let image: String
    let labels: [CLIPModel.Ranked]
  }
}

/// Where a CLIP model is.
struct CLIPOptions: ParsableArguments {
  @Option(
    help: """
      A folder of transformers' CLIPModel with its processor and tokenizer, or a file under OpenAI's names (.pt, .safetensors).
      """)
  var model: String

  @Option(
    help: """
      The activation of a single file's networks: quick_gelu (OpenAI's weights) or gelu (most of OpenCLIP's, LAION's); \
      default: as open_clip_config.json beside it says, else quick_gelu.
      """)
  var activation: CLIPActivation?

  /// Reads the model; what was left aside is noted.
  func read() throws -> CLIPModel {
    var notes: [String] = []
    let loaded = try Self.checked {
      try CLIPModel(path: model, activation: activation, notes: &notes)
    }
    for note in notes { Console.note("note: \(note)") }
    return loaded
  }

  /// What `body` gives; a request that cannot be served is wrong usage.
  static func checked<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch PipelineError.request(let part, let problem) {
      throw ValidationError("--\(part): \(problem)")
    }
  }
}

extension CLIPActivation: ExpressibleByArgument {}
