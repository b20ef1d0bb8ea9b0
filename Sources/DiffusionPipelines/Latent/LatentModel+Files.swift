import DiffusionModels
import TensorCheckpoints
import TensorCore
import TensorLayers
import TextTokenizer

extension LatentModel {
  /// Whether a path leads to a latent model that draws from texts, in any layout.
  ///
  /// - Throws: ``PipelineError`` where there is nothing, or a file that is no whole checkpoint.
  public static func isLatentModel(_ path: String) throws(PipelineError) -> Bool {
    try LatentLocation(path) != nil
  }

  /// Reads a diffusers folder, a Hugging Face cache folder or a single file.
  ///
  /// - Parameters:
  ///   - options: what is not the files' own.
  ///   - memory: how weights are kept and pictures decoded.
  ///   - notes: gets a line for everything that was found and left aside.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public init(
    path: String, options: LatentParts.Options = LatentParts.Options(),
    memory: MemoryMeasures = MemoryMeasures(), notes: inout [String]
  ) throws(PipelineError) {
    let parts = try LatentParts(path: path, options: options, notes: &notes)
    try self.init(parts, memory: memory, path: path)
  }

  /// Reads a diffusers folder, with the `variant` of its files.
  public init(
    folder: String, variant: String? = nil, notes: inout [String]
  ) throws(PipelineError) {
    try self.init(path: folder, options: .init(variant: variant), notes: &notes)
  }

  /// Reads the parameters of the parts.
  ///
  /// - Parameters:
  ///   - memory: how weights are kept and pictures decoded.
  ///   - path: what errors call the model.
  public init(
    _ parts: LatentParts, memory: MemoryMeasures = MemoryMeasures(), path: String
  ) throws(PipelineError) {
    var unset = ParameterInitializer.unset
    let unet = try Self.loaded(
      ConditionalUNet(parts.unet.configuration, initializer: &unset), parts.unet.source,
      memory)
    var autoencoder = try Self.loaded(
      KLAutoencoder(parts.autoencoder.configuration, initializer: &unset),
      parts.autoencoder.source, memory)
    autoencoder.tiling = memory.tiling
    var texts: [TextPart] = []
    for text in parts.texts {
      let encoder = try Self.loaded(
        CLIPTextEncoder(
          text.part.configuration, hasProjection: text.hasProjection, initializer: &unset),
        text.part.source, memory)
      texts.append(TextPart(tokenizer: try text.tokenizer.read(), encoder: encoder))
    }
    self.init(unet: unet, autoencoder: autoencoder, texts: texts, process: parts.process)
    lowResolution = parts.lowResolution
    zeroesEmptyNegative = parts.zeroesEmptyNegative
    try check(path)
  }

  private static func loaded<M: Module>(
    _ module: M, _ source: any CheckpointSource, _ memory: MemoryMeasures
  ) throws(PipelineError) -> M {
    var module = module
    do throws(CheckpointError) {
      try module.load(
        from: source, weights: memory.weights, weightType: memory.weightType)
    } catch {
      throw .model(.checkpoint(error))
    }
    return module
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

extension LatentParts.TokenizerPlace {
  /// Reads the tokenizer.
  func read() throws(PipelineError) -> CLIPTokenizer {
    let path: String
    switch self {
    case .folder(let folder): path = folder
    case .embedded: path = try EmbeddedVocabulary.path()
    }
    do throws(TokenizerError) {
      var tokenizer = try CLIPTokenizer(path: path)
      if case .embedded(let padID?) = self { tokenizer.padID = padID }
      return tokenizer
    } catch {
      throw .noModel(path: path, problem: error.description)
    }
  }
}
