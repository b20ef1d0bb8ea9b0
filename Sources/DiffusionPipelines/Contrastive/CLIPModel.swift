import DiffusionImages
import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TextTokenizer

/// CLIP ready for use: its two encoders, its tokenizer, and how it wants pictures.
///
/// ```swift
/// var notes: [String] = []
/// let model = try CLIPModel(path: "clip-vit-base-patch32", notes: &notes)
/// let ranking = try model.classify(image, labels: ["dog", "cat"])
/// ```
public struct CLIPModel: Sendable {
  /// The encoders.
  public let pair: CLIPPair
  /// Texts to tokens.
  public let tokenizer: CLIPTokenizer
  /// Pictures to what the encoder takes.
  public let preparation: CLIPPreparation

  /// A model of its parts.
  public init(pair: CLIPPair, tokenizer: CLIPTokenizer, preparation: CLIPPreparation) {
    self.pair = pair
    self.tokenizer = tokenizer
    self.preparation = preparation
  }

  /// Reads a folder of transformers' `CLIPModel` (config.json, preprocessor_config.json, a tokenizer, parameters), or one
  /// file with the parameters under OpenAI's names, whose structure its tensors tell and whose vocabulary comes with the
  /// engine.
  ///
  /// - Parameters:
  ///   - activation: that of a single file; `nil` for what `open_clip_config.json` beside it says, else the quick GELU of
  ///     OpenAI's weights.
  ///   - notes: gets a line for everything that was found and left aside, or that had to be assumed.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public init(
    path: String, activation: CLIPActivation? = nil, notes: inout [String]
  ) throws(PipelineError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .noModel(path: path, problem: "no such file or folder; give the path of a CLIP model")
    }
    if isFolder.boolValue {
      try ImageRequest.expect(
        "activation", activation == nil, "a folder's config.json says it; leave it out")
      self = try Self.folder(path, &notes)
    } else {
      self = try Self.file(path, activation, &notes)
    }
  }

  /// Texts as vectors of length 1, `[texts, width]`; what is beyond the encoder's length is left out.
  public func embedded(texts: [String]) -> Tensor {
    let length = pair.text.configuration.mostTokens
    let tokens = texts.map { text in
      tokenizer.chunks(of: WeightedPrompt(plain: text), length: length, commaBacktracking: 0)[0].ids
    }
    return pair.embedded(texts: tokens)
  }

  /// Pictures as vectors of length 1, `[pictures, width]`.
  public func embedded(pictures: [Image]) -> Tensor {
    let prepared = pictures.map { preparation.prepared($0).expanded(at: 0) }
    return pair.embedded(pictures: Tensor.concatenated(prepared, axis: 0))
  }
}

extension CLIPModel {
  /// What `open_clip_config.json` beside a file of OpenCLIP's says: perceptrons have the exact GELU unless it asks for the
  /// quick one.
  private struct OpenCLIPSettings: Decodable {
    private struct Model: Decodable {
      let quick_gelu: Bool?
    }
    private let model_cfg: Model

    init?(beside path: String) {
      let url = URL(fileURLWithPath: path).deletingLastPathComponent()
        .appendingPathComponent("open_clip_config.json")
      guard let data = try? Data(contentsOf: url),
        let found = try? JSONDecoder().decode(Self.self, from: data)
      else { return nil }
      self = found
    }

    var activation: CLIPActivation { model_cfg.quick_gelu == true ? .quickGELU : .gelu }
  }

  /// transformers' `CLIPConfig`.
  private struct Configuration: Decodable {
    var text = CLIPConfiguration()
    var vision = CLIPConfiguration()
    var projectionWidth = 512

    static let keys =
      CodingKeys.allCases.map(\.rawValue) + [
        "text_config_dict", "vision_config_dict", "logit_scale_init_value", "initializer_factor",
        "transformers_version", "tie_word_embeddings",
      ]

    enum CodingKeys: String, CodingKey, CaseIterable {
      case text = "text_config"
      case vision = "vision_config"
      case projectionWidth = "projection_dim"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      // transformers' defaults of the vision encoder are wider than the text encoder's.
      (vision.width, vision.innerWidth, vision.heads) = (768, 3072, 12)
      if let found = try values.decodeIfPresent(CLIPConfiguration.self, forKey: .text) {
        text = found
      }
      if let found = try values.decodeIfPresent(CLIPConfiguration.self, forKey: .vision) {
        vision = found
      }
      projectionWidth =
        try values.decodeIfPresent(Int.self, forKey: .projectionWidth) ?? projectionWidth
    }
  }

  private static func folder(
    _ path: String, _ notes: inout [String]
  ) throws(PipelineError) -> CLIPModel {
    let part = PartFolder(path: path, variant: nil)
    let configuration = try part.configuration(
      Configuration.self, known: Configuration.keys, notes: &notes)
    var unset = ParameterInitializer.unset
    var pair = CLIPPair(
      text: configuration.text, vision: configuration.vision,
      projectionWidth: configuration.projectionWidth, initializer: &unset)
    try load(&pair, try part.parameters())
    var preparation = CLIPPreparation(side: configuration.vision.imageSize)
    if FileManager.default.fileExists(atPath: path + "/preprocessor_config.json") {
      preparation = try part.configuration(
        CLIPPreparation.self, known: CLIPPreparation.keys, file: "preprocessor_config.json",
        notes: &notes)
    } else {
      notes.append("\(path)/preprocessor_config.json: absent, so OpenAI's preparation is assumed")
    }
    return try CLIPModel(pair: pair, vocabulary: path, preparation: preparation, path: path)
  }

  private static func file(
    _ path: String, _ activation: CLIPActivation?, _ notes: inout [String]
  ) throws(PipelineError) -> CLIPModel {
    let source: any CheckpointSource
    do throws(CheckpointError) {
      source = try openCheckpoint(path: path)
    } catch {
      throw .model(.checkpoint(error))
    }
    let told = activation ?? OpenCLIPSettings(beside: path)?.activation
    if told == nil, !CLIPConfiguration.isOpenAIs(source) {
      notes.append(
        "\(path): does not say whether it is OpenAI's: taken to be, with their quick GELU; "
          + "--activation gelu for LAION's")
    }
    guard var pair = CLIPPair(shapesOf: source, activation: told ?? .quickGELU) else {
      throw .noModel(
        path: path,
        problem: "expected CLIP's tensors under OpenAI's names (visual.conv1.weight, "
          + "positional_embedding, text_projection); for transformers' names give the folder with "
          + "config.json")
    }
    try load(&pair, source)
    return try CLIPModel(
      pair: pair, vocabulary: EmbeddedVocabulary.path(),
      preparation: CLIPPreparation(side: pair.picture.imageSize), path: path)
  }

  private static func load(
    _ pair: inout CLIPPair, _ source: any CheckpointSource
  ) throws(PipelineError) {
    do throws(CheckpointError) {
      try pair.loadParameters(from: source)
    } catch {
      throw .model(.checkpoint(error))
    }
  }

  /// A model whose parts go together.
  private init(
    pair: CLIPPair, vocabulary: String, preparation: CLIPPreparation, path: String
  ) throws(PipelineError) {
    do throws(TokenizerError) {
      tokenizer = try CLIPTokenizer(path: vocabulary)
    } catch {
      throw .noModel(path: vocabulary, problem: error.description)
    }
    self.pair = pair
    self.preparation = preparation
    let side = pair.picture.imageSize
    let blank = Image(width: side + 3, height: side + 2, filledWith: [0, 0, 0])
    let shape = preparation.prepared(blank).shape
    guard shape == [side, side, 3] else {
      throw .noModel(
        path: path,
        problem: "pictures are prepared to \(shape[1]) x \(shape[0]) pixels, the encoder takes "
          + "\(side) x \(side)")
    }
    let count = pair.text.configuration.vocabularySize
    guard let largest = tokenizer.vocabulary.ids.values.max(), largest < count else {
      throw .noModel(
        path: path,
        problem:
          "the tokenizer has tokens up to \(tokenizer.vocabulary.ids.values.max() ?? 0), the "
          + "text encoder knows \(count)")
    }
  }
}
