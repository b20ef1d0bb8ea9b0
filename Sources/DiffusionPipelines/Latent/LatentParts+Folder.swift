import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorLayers

extension LatentParts {
  /// The name of the file that lists a diffusers folder's parts.
  static let indexFile = "model_index.json"

  /// Finds the parts of a diffusers folder: `model_index.json` and the parts beside it.
  init(
    folder: String, options: Options, notes: inout [String]
  ) throws(PipelineError) {
    self.folder = folder
    let index = try Self.index(folder)
    let used = [
      "unet", "vae", "scheduler", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2",
      "low_res_scheduler",
    ]
    for part in index.parts.sorted() where !used.contains(part) {
      notes.append("\(folder)/\(part) is not used")
    }
    func part(_ name: String) -> PartFolder {
      PartFolder(path: folder + "/" + name, variant: options.variant)
    }
    unet = try Self.unet(part("unet"), &notes)
    autoencoder = try Self.autoencoder(part("vae"), &notes)
    if let path = options.autoencoder {
      autoencoder = try Self.autoencoder(at: path, like: autoencoder.configuration, &notes)
    }
    texts = []
    for (number, suffix) in ["", "_2"].enumerated()
    where index.parts.contains("text_encoder\(suffix)") {
      texts.append(
        try Self.text(
          part("text_encoder\(suffix)"), .folder("\(folder)/tokenizer\(suffix)"),
          hasProjection: number == 1, &notes))
    }
    process = try ModelLocation.process(folder + "/scheduler/scheduler_config.json", &notes)
    zeroesEmptyNegative = index.zeroesEmptyNegative
    if index.parts.contains("low_res_scheduler") {
      lowResolution = try ModelLocation.process(
        folder + "/low_res_scheduler/scheduler_config.json", &notes)
    }
    try replaceTexts(options.textEncoders, &notes)
  }

  /// The parts that the index names and that are not absent, and what else it says.
  private static func index(
    _ folder: String
  ) throws(PipelineError) -> (parts: Set<String>, zeroesEmptyNegative: Bool) {
    let file = folder + "/" + indexFile
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: file))
      let entries = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      let parts = entries.compactMap { key, value in
        ((value as? [Any])?.first as? String) == nil ? nil : key
      }
      return (Set(parts), entries["force_zeros_for_empty_prompt"] as? Bool ?? false)
    } catch {
      throw .model(.file(path: file, problem: "cannot be read: \(error.localizedDescription)"))
    }
  }

  private static func unet(
    _ folder: PartFolder, _ notes: inout [String]
  ) throws(PipelineError) -> Part<ConditionalUNetConfiguration> {
    let configuration = try folder.configuration(
      ConditionalUNetConfiguration.self, known: ConditionalUNetConfiguration.keys, notes: &notes)
    return Part(
      configuration: configuration, source: try folder.parameters(),
      tensors: configuration.tensors)
  }

  static func autoencoder(
    _ folder: PartFolder, _ notes: inout [String]
  ) throws(PipelineError) -> Part<AutoencoderConfiguration> {
    let configuration = try folder.configuration(
      AutoencoderConfiguration.self, known: AutoencoderConfiguration.keys, notes: &notes)
    return Part(
      configuration, try folder.parameters(),
      configuration.placedTensors(of: configuration.tensors, under: nil))
  }

  static func text(
    _ folder: PartFolder, _ tokenizer: TokenizerPlace, hasProjection: Bool,
    _ notes: inout [String]
  ) throws(PipelineError) -> Text {
    let configuration = try folder.configuration(
      CLIPConfiguration.self, known: CLIPConfiguration.keys, notes: &notes)
    let source = try folder.parameters()
    let naming: CLIPTextNaming =
      source.entry(named: "positional_embedding") == nil ? .transformers : .openCLIP
    let placed = configuration.placedTextTensors(of: configuration.tensors(hasProjection))
    return Text(
      part: Part(configuration, source, placed, ignoring: IgnoredTensors.isTextNumber),
      hasProjection: hasProjection, naming: naming, tokenizer: tokenizer)
  }
}

extension LatentParts.Part {
  /// A part of a file in which its tensors have other places.
  init(
    _ configuration: Configuration, _ source: any CheckpointSource, _ placed: [PlacedTensor],
    ignoring ignores: (String) -> Bool = { _ in false }
  ) {
    self.init(
      configuration: configuration, source: PlacedCheckpoint(source, placed, ignoring: ignores),
      tensors: placed.map { ($0.name, $0.shape) })
  }
}

extension ConditionalUNetConfiguration {
  /// What a checkpoint of such a network has.
  var tensors: [(name: String, shape: [Int])] {
    var unset = ParameterInitializer.unset
    return ConditionalUNet(self, initializer: &unset).checkpointShapes()
  }
}

extension AutoencoderConfiguration {
  /// What a checkpoint of such a network has.
  var tensors: [(name: String, shape: [Int])] {
    var unset = ParameterInitializer.unset
    return KLAutoencoder(self, initializer: &unset).checkpointShapes()
  }
}

extension CLIPConfiguration {
  /// What a checkpoint of such a text encoder has.
  func tensors(_ hasProjection: Bool) -> [(name: String, shape: [Int])] {
    var unset = ParameterInitializer.unset
    return CLIPTextEncoder(self, hasProjection: hasProjection, initializer: &unset)
      .checkpointShapes()
  }
}
