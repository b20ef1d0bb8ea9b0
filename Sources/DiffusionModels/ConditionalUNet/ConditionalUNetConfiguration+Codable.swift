import Foundation
import TensorLayers

extension ConditionalUNetConfiguration: Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case sampleSize = "sample_size"
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case flipSinToCos = "flip_sin_to_cos"
    case freqShift = "freq_shift"
    case downBlocks = "down_block_types"
    case upBlocks = "up_block_types"
    case midBlock = "mid_block_type"
    case onlyCrossAttention = "only_cross_attention"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case downsamplePadding = "downsample_padding"
    case midBlockScaleFactor = "mid_block_scale_factor"
    case activation = "act_fn"
    case normGroups = "norm_num_groups"
    case normEpsilon = "norm_eps"
    case crossAttentionWidths = "cross_attention_dim"
    case transformerDepths = "transformer_layers_per_block"
    case heads = "num_attention_heads"
    case headsUnderTheirOldName = "attention_head_dim"
    case usesLinearProjection = "use_linear_projection"
    case timeConditioning = "resnet_time_scale_shift"
    case classEmbedding = "class_embed_type"
    case classCount = "num_class_embeds"
    case projectionInputs = "projection_class_embeddings_input_dim"
    case additionalEmbedding = "addition_embed_type"
    case additionalTimeWidth = "addition_time_embed_dim"
    case guidanceWidth = "time_cond_proj_dim"
  }

  /// Keys whose other values ask for what this network has not, and the values, as JSON, that ask for nothing.
  private static let refusedUnless: [String: Set<String>] = [
    "center_input_sample": ["false"], "dual_cross_attention": ["false"],
    "time_embedding_type": ["positional"], "encoder_hid_dim": ["null"],
    "encoder_hid_dim_type": ["null"], "attention_type": ["default"],
    "class_embeddings_concat": ["false"], "resnet_skip_time_act": ["false"],
    "resnet_out_scale_factor": ["1.0"], "conv_in_kernel": ["3.0"], "conv_out_kernel": ["3.0"],
    "mid_block_only_cross_attention": ["false"], "cross_attention_norm": ["null"],
    "timestep_post_act": ["null"], "time_embedding_act_fn": ["null"],
    "time_embedding_dim": ["null"], "reverse_transformer_layers_per_block": ["null"],
    "addition_embed_type_num_heads": ["64.0"], "dropout": ["0.0"],
    "upcast_attention": ["false", "true"],
  ]

  /// Reads the keys that are there; the others keep their defaults. A key with one value for all levels, or one a level,
  /// may have either.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try values.readOptional(.sampleSize, &sampleSize)
    try values.read(.inChannels, &inChannels)
    try values.read(.outChannels, &outChannels)
    try values.read(.flipSinToCos, &flipSinToCos)
    try values.read(.freqShift, &freqShift)
    try values.read(.blockOutChannels, &blockOutChannels)
    let count = blockOutChannels.count
    if count != 4 { spreadDefaults(over: count) }
    try values.read(.downBlocks, &downBlocks)
    try values.read(.upBlocks, &upBlocks)
    try values.readOptional(.midBlock, &midBlock)
    try values.readPerLevel(.onlyCrossAttention, &onlyCrossAttention, count: count)
    try values.readPerLevel(.layersPerBlock, &layersPerBlock, count: count)
    try values.read(.downsamplePadding, &downsamplePadding)
    try values.read(.midBlockScaleFactor, &midBlockScaleFactor)
    try values.read(.activation, &activation)
    try values.read(.normGroups, &normGroups)
    try values.read(.normEpsilon, &normEpsilon)
    try values.readPerLevel(.crossAttentionWidths, &crossAttentionWidths, count: count)
    try values.readPerLevel(.transformerDepths, &transformerDepths, count: count)
    try values.readPerLevel(.headsUnderTheirOldName, &heads, count: count)
    try values.readPerLevel(.heads, &heads, count: count)
    try values.read(.usesLinearProjection, &usesLinearProjection)
    try values.read(.timeConditioning, &timeConditioning)
    try values.readOptional(.classEmbedding, &classEmbedding)
    try values.readOptional(.classCount, &classCount)
    try values.readOptional(.projectionInputs, &projectionInputs)
    try values.readOptional(.additionalEmbedding, &additionalEmbedding)
    try values.readOptional(.additionalTimeWidth, &additionalTimeWidth)
    try values.readOptional(.guidanceWidth, &guidanceWidth)
    try check(values)
    try Self.refuseOthers(in: decoder)
  }

  /// Refuses what the network has not, by key.
  private static func refuseOthers(in decoder: any Decoder) throws {
    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
    let values = try decoder.container(keyedBy: Key.self)
    for (name, passed) in refusedUnless.sorted(by: { $0.key < $1.key }) {
      let key = Key(stringValue: name)
      guard values.contains(key), try !values.decodeNil(forKey: key) else { continue }
      let found =
        (try? values.decode(Bool.self, forKey: key)).map { "\($0)" }
        ?? (try? values.decode(Double.self, forKey: key)).map { "\($0)" }
        ?? (try? values.decode(String.self, forKey: key)) ?? "a list"
      if !passed.contains(found) {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values,
          debugDescription:
            "expected \(passed.sorted().joined(separator: " or ")), found \(found): "
            + "this network has nothing else")
      }
    }
  }

  /// Writes every key; one value where all levels have the same.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    func perLevel<Value: Encodable & Equatable>(_ list: [Value], _ key: CodingKeys) throws {
      if let first = list.first, list.allSatisfy({ $0 == first }) {
        try values.encode(first, forKey: key)
      } else {
        try values.encode(list, forKey: key)
      }
    }
    try values.encode(sampleSize, forKey: .sampleSize)
    try values.encode(inChannels, forKey: .inChannels)
    try values.encode(outChannels, forKey: .outChannels)
    try values.encode(flipSinToCos, forKey: .flipSinToCos)
    try values.encode(freqShift, forKey: .freqShift)
    try values.encode(downBlocks, forKey: .downBlocks)
    try values.encode(upBlocks, forKey: .upBlocks)
    try values.encode(midBlock, forKey: .midBlock)
    try perLevel(onlyCrossAttention, .onlyCrossAttention)
    try values.encode(blockOutChannels, forKey: .blockOutChannels)
    try perLevel(layersPerBlock, .layersPerBlock)
    try values.encode(downsamplePadding, forKey: .downsamplePadding)
    try values.encode(midBlockScaleFactor, forKey: .midBlockScaleFactor)
    try values.encode(activation, forKey: .activation)
    try values.encode(normGroups, forKey: .normGroups)
    try values.encode(normEpsilon, forKey: .normEpsilon)
    try perLevel(crossAttentionWidths, .crossAttentionWidths)
    try perLevel(transformerDepths, .transformerDepths)
    try perLevel(heads, .headsUnderTheirOldName)
    try values.encode(usesLinearProjection, forKey: .usesLinearProjection)
    try values.encode(timeConditioning, forKey: .timeConditioning)
    try values.encode(classEmbedding, forKey: .classEmbedding)
    try values.encode(classCount, forKey: .classCount)
    try values.encode(projectionInputs, forKey: .projectionInputs)
    try values.encode(additionalEmbedding, forKey: .additionalEmbedding)
    try values.encode(additionalTimeWidth, forKey: .additionalTimeWidth)
    try values.encode(guidanceWidth, forKey: .guidanceWidth)
  }

  private mutating func spreadDefaults(over count: Int) {
    onlyCrossAttention = Array(repeating: false, count: count)
    layersPerBlock = Array(repeating: 2, count: count)
    crossAttentionWidths = Array(repeating: 1280, count: count)
    transformerDepths = Array(repeating: 1, count: count)
    heads = Array(repeating: 8, count: count)
  }

  private func check(_ values: KeyedDecodingContainer<CodingKeys>) throws {
    func expect(_ holds: Bool, _ key: CodingKeys, _ expected: String) throws {
      if holds { return }
      throw DecodingError.dataCorruptedError(
        forKey: key, in: values, debugDescription: "expected \(expected)")
    }
    let channels = blockOutChannels
    try expect(
      !channels.isEmpty && channels.allSatisfy { $0 > 0 && $0 % max(1, normGroups) == 0 },
      .blockOutChannels, "multiples of norm_num_groups \(normGroups), found \(channels)")
    try expect(
      downBlocks.count == levels && upBlocks.count == levels, .downBlocks,
      "\(levels) blocks down and up, found \(downBlocks.count) and \(upBlocks.count)")
    try expect(
      zip(channels, heads).allSatisfy { $1 > 0 && $0 % $1 == 0 }, .heads,
      "numbers of heads that divide the channels \(channels), found \(heads)")
    try expect(
      additionalEmbedding == nil || (additionalTimeWidth != nil && projectionInputs != nil),
      .additionalTimeWidth,
      "addition_time_embed_dim and projection_class_embeddings_input_dim with text_time")
    try expect(
      classEmbedding != .projection || projectionInputs != nil, .projectionInputs,
      "projection_class_embeddings_input_dim with class_embed_type projection")
  }
}

extension ConditionalUNetConfiguration {
  /// Every key that is read, or whose value is checked to ask for nothing.
  public static let keys = CodingKeys.allCases.map(\.rawValue) + Array(refusedUnless.keys)
}
