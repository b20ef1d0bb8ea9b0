import TensorCheckpoints

extension ConditionalUNetConfiguration {
  /// The structure of the U-Net in a single file, read from its tensors' shapes.
  ///
  /// Shapes do not say how many heads attention has: 64 channels each where the transformers project by linear layers
  /// (Stable Diffusion 2, SDXL), and 8 heads where they do not, or where there is a table of classes (the x4 upscaler).
  /// Norms have 32 groups. `sampleSize` is what the model of that kind was trained on; for Stable Diffusion 2 it depends
  /// on the parameterization and is 64.
  ///
  /// - Throws: ``ModelError`` where the tensors are not those of such a network.
  public init(
    singleFile source: any CheckpointSource, under prefix: String = singleFilePrefix
  ) throws(ModelError) {
    self.init()
    let shapes = SingleFileShapes(source, under: prefix)
    guard let input = shapes["input_blocks.0.0.weight"], input.count == 4,
      let output = shapes["out.2.weight"]
    else {
      throw .shapes(source.path, "a U-Net's tensors under \(prefix)input_blocks and \(prefix)out")
    }
    (inChannels, outChannels) = (input[1], output.first ?? 4)
    let levels = UNetLevelShapes.levels(shapes, first: input[0])
    blockOutChannels = levels.map(\.channels)
    layersPerBlock = levels.map(\.layers)
    let middle = shapes.count("middle_block.1.transformer_blocks", "norm1.weight")
    let context = shapes.length("middle_block.1.transformer_blocks.0.attn2.to_k.weight", 1)
    guard let context, !levels.isEmpty, levels.allSatisfy({ $0.layers > 0 }) else {
      throw .shapes(source.path, "residual blocks in every level and transformers that see a text")
    }
    downBlocks = levels.map { $0.depth > 0 ? .cross : .plain }
    upBlocks = levels.reversed().map { $0.depth > 0 ? .cross : .plain }
    transformerDepths = levels.map { $0.depth > 0 ? $0.depth : 1 }
    if let last = levels.last, last.depth == 0 { transformerDepths[levels.count - 1] = middle }
    onlyCrossAttention = levels.map(\.seesOnlyText)
    crossAttentionWidths = levels.map { _ in context }
    usesLinearProjection = shapes["middle_block.1.proj_in.weight"]?.count == 2
    classCount = shapes.length("label_emb.weight", 0)
    guidanceWidth = shapes.length("time_embed.cond_proj.weight", 1)
    heads = levels.map {
      usesLinearProjection && classCount == nil ? max(1, $0.channels / 64) : 8
    }
    if let projected = shapes.length("label_emb.0.0.weight", 1) {
      projectionInputs = projected
      if context == 1024 {
        classEmbedding = .projection
      } else {
        (additionalEmbedding, additionalTimeWidth) = (.textTime, 256)
      }
    }
    sampleSize = additionalEmbedding != nil || classCount != nil ? 128 : 64
  }
}

/// What a level's shapes say.
private struct UNetLevelShapes {
  var channels: Int
  var layers = 0
  /// Transformer blocks behind each residual block.
  var depth = 0
  var seesOnlyText = false

  /// The levels, outermost first: a block that only halves the picture ends one.
  static func levels(_ shapes: SingleFileShapes, first: Int) -> [UNetLevelShapes] {
    var levels = [UNetLevelShapes(channels: first)]
    for number in 1... {
      let block = "input_blocks.\(number)"
      let last = levels.count - 1
      if shapes["\(block).0.op.weight"] != nil {
        levels.append(UNetLevelShapes(channels: levels[last].channels))
      } else if let channels = shapes.length("\(block).0.in_layers.2.weight", 0) {
        levels[last].channels = channels
        levels[last].layers += 1
        let transformers = "\(block).1.transformer_blocks"
        levels[last].depth = shapes.count(transformers, "norm1.weight")
        let width = shapes.length("\(transformers).0.attn1.to_k.weight", 1) ?? channels
        levels[last].seesOnlyText = width != channels
      } else {
        break
      }
    }
    return levels
  }
}
