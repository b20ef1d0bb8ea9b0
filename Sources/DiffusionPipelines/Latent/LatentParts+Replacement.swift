import DiffusionModels
import Foundation
import TensorCheckpoints

/// Autoencoders and text encoders of their own files.
extension LatentParts {
  /// An autoencoder in a file of any naming, or in a folder with its configuration.
  ///
  /// - Parameter model: the autoencoder that it replaces, whose scale of latents it has.
  static func autoencoder(
    at path: String, like model: AutoencoderConfiguration, _ notes: inout [String]
  ) throws(PipelineError) -> Part<AutoencoderConfiguration> {
    if isFolder(path) { return try autoencoder(PartFolder(path: path, variant: nil), &notes) }
    let source = try opened(path)
    let prefix = IgnoredTensors.autoencoderPrefixes.first { prefix in
      source.entries.contains { $0.name.hasPrefix(prefix) }
    }
    do throws(ModelError) {
      var configuration = try AutoencoderConfiguration(shapesOf: source, under: prefix ?? "")
      configuration.scalingFactor = model.scalingFactor
      configuration.sampleSize = model.sampleSize
      return Part(
        configuration, source.part(under: prefix ?? ""),
        configuration.placedTensors(of: configuration.tensors, under: prefix ?? "")
      ) { IgnoredTensors.isTraining($0, under: prefix ?? "") }
    } catch {
      throw .model(error)
    }
  }

  /// Puts text encoders of their own files in place of the model's.
  mutating func replaceTexts(
    _ paths: [String], _ notes: inout [String]
  ) throws(PipelineError) {
    for (number, path) in paths.enumerated() {
      let old = texts.indices.contains(number) ? texts[number] : nil
      let isProjected =
        old?.hasProjection ?? (number > 0 && unet.configuration.additionalEmbedding == .textTime)
      let new = try Self.text(
        at: path, hasProjection: isProjected, tokenizer: old?.tokenizer, &notes)
      if old == nil { texts.append(new) } else { texts[number] = new }
    }
  }

  private static func text(
    at path: String, hasProjection: Bool, tokenizer: TokenizerPlace?, _ notes: inout [String]
  ) throws(PipelineError) -> Text {
    if isFolder(path) {
      return try text(
        PartFolder(path: path, variant: nil), tokenizer ?? .embedded(padID: nil),
        hasProjection: hasProjection, &notes)
    }
    let source = try opened(path)
    let prefixes = IgnoredTensors.textPrefixes.flatMap { $0 } + [""]
    for prefix in prefixes {
      if let text = text(
        in: source, under: prefix, hasProjection: hasProjection, tokenizer: tokenizer)
      {
        return text
      }
    }
    throw .noModel(
      path: path,
      problem: "expected a text encoder under transformers' or OpenCLIP's names, found none; "
        + "`diffusion inspect` lists what is there")
  }

  /// What the names of the last of 24 layers begin with.
  private static let lastLayers = [
    "transformer.resblocks.23.", "text_model.encoder.layers.23.", "encoder.layers.23.",
  ]

  /// The text encoder under a prefix, where there is one.
  static func text(
    in source: any CheckpointSource, under prefix: String, hasProjection: Bool,
    tokenizer: TokenizerPlace? = nil
  ) -> Text? {
    guard let found = CLIPConfiguration.text(shapesOf: source, under: prefix) else { return nil }
    var configuration = found.configuration
    let naming = found.naming
    // Stable Diffusion 2 looks at the last layer but one, so that the last of 24 is left out, as diffusers does.
    let isOpenCLIP = configuration.activation == .gelu
    let isCut = isOpenCLIP && !hasProjection && configuration.layers == 24
    if isCut { configuration.layers = 23 }
    let isProjected = found.hasProjection && hasProjection
    let placed = configuration.placedTextTensors(
      of: configuration.tensors(isProjected), under: prefix, naming: naming)
    let cut = !isCut ? [] : lastLayers.map { prefix + $0 }
    let part = Part(configuration, source.part(under: prefix), placed) { name in
      IgnoredTensors.isTextNumber(name) || name.contains("text_projection") && !isProjected
        || cut.contains { name.hasPrefix($0) }
    }
    return Text(
      part: part, hasProjection: isProjected, naming: naming,
      tokenizer: tokenizer
        ?? .embedded(padID: isOpenCLIP ? 0 : nil))
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func opened(_ path: String) throws(PipelineError) -> any CheckpointSource {
    do throws(CheckpointError) {
      return try openCheckpoint(path: path)
    } catch {
      throw .model(.checkpoint(error))
    }
  }
}
