import TensorCheckpoints
import TensorCore
import TensorLayers

extension CLIPPair {
  /// Takes every parameter from `source`, under transformers' names or OpenAI's (and OpenCLIP's, which are the same).
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` with every name that does not fit.
  public mutating func loadParameters<Source: CheckpointSource>(
    from source: Source, dtype: DType = .float32
  ) throws(CheckpointError) {
    let placed = checkpointShapes().map { name, shape in
      PlacedTensor(name, shape: shape, places: places(of: name, shape))
    }
    try load(
      from: PlacedCheckpoint(source, placed, ignoring: Self.saysNothing), dtype: dtype)
  }

  /// What stands beside the parameters: numbers of positions, counts of batches, what scripted archives keep of the sizes.
  private static func saysNothing(_ name: String) -> Bool {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    return [
      "position_ids", "num_batches_tracked", "attn_mask", "input_resolution", "context_length",
      "vocab_size",
    ].contains(last)
  }

  private static let visual = [
    "embeddings.class_embedding": "class_embedding",
    "embeddings.patch_embedding.weight": "conv1.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "pre_layrnorm.weight": "ln_pre.weight", "pre_layrnorm.bias": "ln_pre.bias",
    "post_layernorm.weight": "ln_post.weight", "post_layernorm.bias": "ln_post.bias",
  ]

  /// transformers' place, and OpenAI's.
  private func places(of name: String, _ shape: [Int]) -> [TensorPlace] {
    let own = TensorPlace(name, shape: shape)
    switch name {
    case "visual_projection.weight":
      return [own, TensorPlace("visual.proj", holding: shape, as: .transposed)]
    case "text_projection.weight":
      return [own, TensorPlace("text_projection", holding: shape, as: .transposed)]
    default: break
    }
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    guard parts.count == 2, parts[0] != "visual" else { return [own] }
    let isPicture = parts[0] == "vision_model"
    if isPicture, let start = Self.visual[parts[1]] {
      return [own, TensorPlace("visual.\(start)", shape: shape)]
    }
    // A block's parts have the same names in both halves.
    let blocks = text.configuration.placedTextTensors(
      of: [(parts[1], shape)], under: isPicture ? "visual." : "", naming: .openCLIP)
    return [own] + blocks.flatMap(\.places).filter { $0 != own }
  }

  /// A pair whose structure is read from the shapes of OpenAI's names, with nothing loaded. `nil` where `source` does not
  /// have them.
  ///
  /// Heads have 64 channels, as in all of OpenAI's models, but those of OpenCLIP's large picture encoders, of which there are
  /// 16.
  ///
  /// - Parameter activation: that of perceptrons: the quick GELU for OpenAI's weights, the exact one for most others.
  public init?(
    shapesOf source: any CheckpointSource, activation: CLIPActivation = .quickGELU
  ) {
    let shapes = SingleFileShapes(source, under: "")
    guard var (text, _, _) = CLIPConfiguration.text(shapesOf: source),
      let width = shapes.length("text_projection", 1), shapes["logit_scale"] != nil,
      let stem = shapes["visual.conv1.weight"], stem.count == 4
    else { return nil }
    text.activation = activation
    text.projectionWidth = width
    // OpenAI's network looks for the largest token.
    text.endToken = 2
    var unset = ParameterInitializer.unset
    if shapes["visual.proj"] != nil {
      guard let positions = shapes.length("visual.positional_embedding", 0) else { return nil }
      var vision = CLIPConfiguration()
      (vision.width, vision.channels, vision.patchSize) = (stem[0], stem[1], stem[3])
      vision.layers = shapes.count("visual.transformer.resblocks", "ln_1.weight")
      vision.innerWidth =
        shapes.length("visual.transformer.resblocks.0.mlp.c_fc.weight", 0) ?? 4 * stem[0]
      vision.heads = [1280, 1408, 1664].contains(stem[0]) ? 16 : max(1, stem[0] / 64)
      vision.activation = activation
      vision.imageSize = stem[3] * Self.side(of: positions)
      vision.projectionWidth = width
      self.init(text: text, vision: vision, projectionWidth: width, initializer: &unset)
    } else {
      guard let positions = shapes.length("visual.attnpool.positional_embedding", 0),
        let channels = shapes.length("visual.layer1.0.conv1.weight", 0)
      else { return nil }
      let vision = CLIPResNetConfiguration(
        stages: (1...4).map { shapes.count("visual.layer\($0)", "conv1.weight") },
        width: channels, projectionWidth: width, imageSize: 32 * Self.side(of: positions))
      self.init(text: text, vision: vision, initializer: &unset)
    }
  }

  /// Side of a grid whose places and one more have positions.
  private static func side(of positions: Int) -> Int {
    Int(Double(max(0, positions - 1)).squareRoot().rounded())
  }
}
