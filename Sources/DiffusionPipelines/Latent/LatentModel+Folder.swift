import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TextTokenizer

extension LatentModel {
  /// The name of the file that lists a diffusers folder's parts.
  static let indexFile = "model_index.json"

  /// Whether a folder has the parts of a latent model that draws from texts.
  public static func isFolder(_ path: String) -> Bool {
    [indexFile, "unet", "vae", "text_encoder"].allSatisfy {
      FileManager.default.fileExists(atPath: path + "/" + $0)
    }
  }

  /// Reads a diffusers folder: `model_index.json` and the parts beside it.
  ///
  /// - Parameters:
  ///   - variant: which of several files of parameters each part has, such as `fp16`.
  ///   - notes: gets a line for everything that was found and left aside.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public init(
    folder: String, variant: String? = nil, notes: inout [String]
  ) throws(PipelineError) {
    let index = try Self.index(folder)
    let used = [
      "unet", "vae", "scheduler", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2",
      "low_res_scheduler",
    ]
    for part in index.parts.sorted() where !used.contains(part) {
      notes.append("\(folder)/\(part) is not used")
    }
    func part(_ name: String) -> PartFolder {
      PartFolder(path: folder + "/" + name, variant: variant)
    }
    let unet = try Self.unet(part("unet"), &notes)
    let autoencoder = try Self.autoencoder(part("vae"), &notes)
    var texts = [try Self.text(part("text_encoder"), folder + "/tokenizer", false, &notes)]
    if index.parts.contains("text_encoder_2") {
      texts.append(
        try Self.text(part("text_encoder_2"), folder + "/tokenizer_2", true, &notes))
    }
    let process = try ModelLocation.process(
      folder + "/scheduler/scheduler_config.json", &notes)
    self.init(unet: unet, autoencoder: autoencoder, texts: texts, process: process)
    zeroesEmptyNegative = index.zeroesEmptyNegative
    if index.parts.contains("low_res_scheduler") {
      lowResolution = try ModelLocation.process(
        folder + "/low_res_scheduler/scheduler_config.json", &notes)
    }
    try check(folder)
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

  private static func loaded<M: Module>(
    _ module: M, _ load: (inout M) throws(CheckpointError) -> Void
  ) throws(PipelineError) -> M {
    var module = module
    do throws(CheckpointError) {
      try load(&module)
    } catch {
      throw .model(.checkpoint(error))
    }
    return module
  }

  private static func unet(
    _ part: PartFolder, _ notes: inout [String]
  ) throws(PipelineError) -> ConditionalUNet {
    let configuration = try part.configuration(
      ConditionalUNetConfiguration.self, known: ConditionalUNetConfiguration.keys, notes: &notes)
    let source = try part.parameters()
    var unset = ParameterInitializer.unset
    return try loaded(ConditionalUNet(configuration, initializer: &unset)) {
      module throws(CheckpointError) in try module.load(from: source)
    }
  }

  private static func autoencoder(
    _ part: PartFolder, _ notes: inout [String]
  ) throws(PipelineError) -> KLAutoencoder {
    let configuration = try part.configuration(
      AutoencoderConfiguration.self, known: AutoencoderConfiguration.keys, notes: &notes)
    let source = try part.parameters()
    var unset = ParameterInitializer.unset
    return try loaded(KLAutoencoder(configuration, initializer: &unset)) {
      module throws(CheckpointError) in try module.loadParameters(from: source)
    }
  }

  private static func text(
    _ part: PartFolder, _ tokenizer: String, _ hasProjection: Bool, _ notes: inout [String]
  ) throws(PipelineError) -> TextPart {
    let configuration = try part.configuration(
      CLIPConfiguration.self, known: CLIPConfiguration.keys, notes: &notes)
    let source = try part.parameters()
    var unset = ParameterInitializer.unset
    let encoder = try loaded(
      CLIPTextEncoder(configuration, hasProjection: hasProjection, initializer: &unset)
    ) { module throws(CheckpointError) in try module.loadParameters(from: source) }
    do throws(TokenizerError) {
      return TextPart(tokenizer: try CLIPTokenizer(path: tokenizer), encoder: encoder)
    } catch {
      throw .noModel(path: tokenizer, problem: error.description)
    }
  }

  /// That the parts go together.
  private func check(_ folder: String) throws(PipelineError) {
    let width = texts.map(\.encoder.configuration.width).reduce(0, +)
    let expected = unet.configuration.crossAttentionWidths[0]
    guard width == expected else {
      throw .noModel(
        path: folder,
        problem: "the U-Net looks at states of width \(expected), the text encoders give \(width)")
    }
    let channels = autoencoder.configuration.latentChannels
    guard unet.configuration.inChannels == channels || takes != nil else {
      throw .noModel(
        path: folder,
        problem: "the U-Net takes \(unet.configuration.inChannels) channels, a latent has "
          + "\(channels): expected as many, \(2 * channels + 1) to paint into pictures or "
          + "\(channels + autoencoder.configuration.inChannels) to enlarge them")
    }
  }
}
