import TensorCheckpoints

/// How the names of a text encoder are made.
public enum CLIPTextNaming: Sendable, Hashable, CaseIterable {
  /// transformers', before version 5 or after.
  case transformers
  /// OpenCLIP's: queries, keys and values in one matrix, and the projection the other way round.
  case openCLIP
}

extension CLIPConfiguration {
  /// Every parameter of a text encoder, with its places.
  ///
  /// - Parameters:
  ///   - prefix: what every foreign name begins with.
  ///   - naming: whose names come first; a file is read under any.
  public func placedTextTensors(
    of tensors: [(name: String, shape: [Int])], under prefix: String = "",
    naming: CLIPTextNaming = .transformers
  ) -> [PlacedTensor] {
    tensors.map { name, shape in
      let transformers = Self.transformersPlaces(name, shape, prefix)
      let openCLIP = Self.openCLIPPlace(name, shape, prefix).map { [$0] } ?? []
      return PlacedTensor(
        name, shape: shape,
        places: naming == .openCLIP ? openCLIP + transformers : transformers + openCLIP)
    }
  }

  private static let heads = ["q_proj": 0, "k_proj": 1, "v_proj": 2]

  /// With `text_model.` and without; stable-diffusion.cpp renames OpenCLIP's so but keeps its matrices.
  private static func transformersPlaces(
    _ own: String, _ shape: [Int], _ prefix: String
  ) -> [TensorPlace] {
    if own.hasPrefix("text_projection") {
      return [
        TensorPlace(prefix + own, shape: shape),
        TensorPlace(prefix + "text_model.text_projection", holding: shape, as: .transposed),
      ]
    }
    let old = "\(prefix)text_model.\(own)"
    let plain = [TensorPlace(old, shape: shape), TensorPlace(prefix + own, shape: shape)]
    let parts = old.split(separator: ".").map(String.init)
    guard parts.count > 2, let index = heads[parts[parts.count - 2]] else { return plain }
    let joint = (parts.dropLast(2) + ["in_proj", parts[parts.count - 1]]).joined(separator: ".")
    return plain + [TensorPlace(joint, holding: shape, as: .part(index, of: 3))]
  }

  private static let openCLIPStarts = [
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias",
  ]
  private static let openCLIPParts = [
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
  ]

  private static func openCLIPPlace(
    _ own: String, _ shape: [Int], _ prefix: String
  ) -> TensorPlace? {
    if own == "text_projection.weight" {
      return TensorPlace("\(prefix)text_projection", holding: shape, as: .transposed)
    }
    if let name = openCLIPStarts[own] { return TensorPlace(prefix + name, shape: shape) }
    let parts = own.split(separator: ".").map(String.init)
    guard parts.count > 4, let kind = parts.last else { return nil }
    let block = "\(prefix)transformer.resblocks.\(parts[2])"
    if let index = heads[parts[4]] {
      return TensorPlace(
        "\(block).attn.in_proj_\(kind)", holding: shape, as: .part(index, of: 3))
    }
    let part = parts[3..<parts.count - 1].joined(separator: ".")
    return openCLIPParts[part].map { TensorPlace("\(block).\($0).\(kind)", shape: shape) }
  }

  /// Whether a file under the names that OpenAI and OpenCLIP share is one of OpenAI's archives.
  public static func isOpenAIs(_ source: any CheckpointSource) -> Bool {
    ["input_resolution", "context_length", "vocab_size"].allSatisfy {
      source.entry(named: $0) != nil
    }
  }

  /// The structure of a text encoder, read from its tensors' shapes under whichever of the names.
  ///
  /// Heads have 64 channels. Under transformers' names OpenAI's encoder (768 channels) has the quick GELU, OpenCLIP's larger
  /// ones the exact. OpenCLIP's names are OpenAI's too: those are the exact one's unless the file has the numbers that
  /// OpenAI's archives keep beside the parameters.
  ///
  /// - Returns: the structure, whose names those are, and whether the encoder has a projection; `nil` where there is no
  ///   text encoder under the prefix.
  public static func text(
    shapesOf source: any CheckpointSource, under prefix: String = ""
  ) -> (configuration: CLIPConfiguration, naming: CLIPTextNaming, hasProjection: Bool)? {
    let shapes = SingleFileShapes(source, under: prefix)
    var configuration = CLIPConfiguration()
    let old = shapes["text_model.embeddings.position_embedding.weight"] == nil ? "" : "text_model."
    let isOpen = shapes["positional_embedding"] != nil
    guard
      let positions = shapes["positional_embedding"]
        ?? shapes["\(old)embeddings.position_embedding.weight"], positions.count == 2,
      let tokens = shapes.length("token_embedding.weight", 0)
        ?? shapes.length("\(old)embeddings.token_embedding.weight", 0)
    else { return nil }
    let layers = isOpen ? "transformer.resblocks" : "\(old)encoder.layers"
    (configuration.mostTokens, configuration.width) = (positions[0], positions[1])
    configuration.vocabularySize = tokens
    configuration.layers = shapes.count(layers, isOpen ? "ln_1.weight" : "layer_norm1.weight")
    configuration.innerWidth =
      shapes.length(isOpen ? "\(layers).0.mlp.c_fc.weight" : "\(layers).0.mlp.fc1.weight", 0)
      ?? 4 * positions[1]
    configuration.heads = max(1, positions[1] / 64)
    // stable-diffusion.cpp may rename OpenCLIP's tensors, but keeps its joint matrices.
    let isJoint = shapes["\(layers).0.self_attn.in_proj.weight"] != nil
    configuration.activation =
      (isOpen ? isOpenAIs(source) : positions[1] <= 768 && !isJoint) ? .quickGELU : .gelu
    let projection =
      shapes.length("text_projection", 1) ?? shapes.length("text_model.text_projection", 1)
      ?? shapes.length("text_projection.weight", 0)
    configuration.projectionWidth = projection ?? positions[1]
    return (configuration, isOpen ? .openCLIP : .transformers, projection != nil)
  }
}
