import DiffusionModels
import TensorCheckpoints
import TensorCore
import TensorLayers
import TextTokenizer

/// A file of changes of weights (LoRA and its kin), and how much of them is added.
public struct LoRAFile: Sendable, Hashable, Codable {
  /// The file.
  public var path: String
  /// What the changes are multiplied by.
  public var weight: Double
  /// What those of text encoders are multiplied by, where that is another number.
  public var textWeight: Double?

  /// A file with its weight.
  public init(path: String, weight: Double = 1, textWeight: Double? = nil) {
    self.path = path
    self.weight = weight
    self.textWeight = textWeight == weight ? nil : textWeight
  }

  /// Reads `FILE`, `FILE:X` or, with the text encoders' weight first, `FILE:X:Y`.
  public init(parsing text: String) {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var weights: [Double] = []
    while weights.count < 2, parts.count > 1, let last = parts.last, let weight = Double(last),
      weight.isFinite
    {
      weights.insert(weight, at: 0)
      parts.removeLast()
    }
    self.init(
      path: parts.joined(separator: ":"), weight: weights.last ?? 1, textWeight: weights.first)
  }
}

extension LatentParts {
  /// The weights that files of low-rank changes are added to, by their names alone.
  ///
  /// - Throws: ``PipelineError/model(_:)`` for a file that is none.
  public func changed(
    by files: [LoRAFile]
  ) throws(PipelineError) -> [AdaptedPart: Set<String>] {
    if files.isEmpty { return [:] }
    var unset = ParameterInitializer.unset
    let weights = AdaptableWeights(
      unet: ConditionalUNet(unet.configuration, initializer: &unset),
      texts: texts.map {
        CLIPTextEncoder(
          $0.part.configuration, hasProjection: $0.hasProjection, initializer: &unset)
      })
    var changed: [AdaptedPart: Set<String>] = [:]
    for file in files {
      let found = try LatentModel.opened(file.path) { weights.changed(by: $0) }
      changed.merge(found) { $0.union($1) }
    }
    return changed
  }
}

extension LatentModel {
  /// The model with changes (LoRA, LoHa, LoKr, DoRA) added to the weights of its U-Net and text encoders.
  ///
  /// - Parameter keepsTypes: whether changed weights are rounded to half precision where the model has them so; else they
  ///   become float32, at twice their memory.
  /// - Throws: ``PipelineError/model(_:)`` with every name in a file that is not understood.
  public func applying(
    _ files: [LoRAFile], keepsTypes: Bool = false
  ) throws(PipelineError) -> LatentModel {
    if files.isEmpty { return self }
    let weights = AdaptableWeights(unet: unet, texts: texts.map(\.encoder))
    var read: [(file: LoRAFile, adapter: WeightAdapter)] = []
    for file in files {
      let adapter = try Self.opened(file.path) { source throws(CheckpointError) in
        try WeightAdapter(source, for: weights)
      }
      read.append((file, adapter))
    }
    var model = self
    model.unet = unet.adding(
      read.map { ($0.adapter, $0.file.weight) }, as: .unet, keepsTypes: keepsTypes)
    let ofTexts = read.map { ($0.adapter, $0.file.textWeight ?? $0.file.weight) }
    model.texts = texts.enumerated().map { index, text in
      TextPart(
        tokenizer: text.tokenizer,
        encoder: text.encoder.adding(ofTexts, as: .text(index), keepsTypes: keepsTypes))
    }
    return model
  }

  /// The model with learned words (textual inversion): a prompt may name each by the file's name without its ending, or as
  /// the file has it.
  ///
  /// - Throws: ``PipelineError/model(_:)`` for a file that is none, ``PipelineError/noModel(path:problem:)`` for vectors that
  ///   are not as wide as the text encoders' and for a word that is taken.
  public func addingWords(from paths: [String]) throws(PipelineError) -> LatentModel {
    var model = self
    var taken: Set<String> = []
    for path in paths {
      let inversion = try Self.opened(path) { source throws(CheckpointError) in
        try TextualInversion(source)
      }
      if let word = inversion.words.first(where: taken.contains) {
        throw .noModel(path: path, problem: "another file has the word \(word); rename one of them")
      }
      taken.formUnion(inversion.words)
      try model.add(inversion)
    }
    return model
  }

  private mutating func add(_ inversion: TextualInversion) throws(PipelineError) {
    let widths = texts.map(\.encoder.configuration.width)
    let vectors = widths.compactMap { width in
      inversion.vectors.first { $0.shape[1] == width }
    }
    guard vectors.count == widths.count else {
      throw .noModel(
        path: inversion.path,
        problem: "expected vectors of widths \(widths), those of the model's text encoders, found "
          + "\(inversion.vectors.map { $0.shape[1] }): it is for another kind of model")
    }
    texts = zip(texts, vectors).map { text, vectors in
      let (encoder, ids) = text.encoder.adding(vectors)
      var tokenizer = text.tokenizer
      tokenizer.added += inversion.words.map { AddedToken($0, ids: ids) }
      return TextPart(tokenizer: tokenizer, encoder: encoder)
    }
  }

  static func opened<Result>(
    _ path: String, _ read: (any CheckpointSource) throws(CheckpointError) -> Result
  ) throws(PipelineError) -> Result {
    do throws(CheckpointError) {
      return try read(try openCheckpoint(path: path))
    } catch {
      throw .model(.checkpoint(error))
    }
  }
}
