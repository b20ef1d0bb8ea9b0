import Foundation
import TensorLayers

extension UNetConfiguration: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case sampleSize = "sample_size"
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case centerInputSample = "center_input_sample"
    case timeEmbeddingType = "time_embedding_type"
    case timeEmbeddingDim = "time_embedding_dim"
    case freqShift = "freq_shift"
    case flipSinToCos = "flip_sin_to_cos"
    case downBlockTypes = "down_block_types"
    case midBlockType = "mid_block_type"
    case upBlockTypes = "up_block_types"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case midBlockScaleFactor = "mid_block_scale_factor"
    case downsamplePadding = "downsample_padding"
    case downsampleType = "downsample_type"
    case upsampleType = "upsample_type"
    case dropout
    case actFn = "act_fn"
    case attentionHeadDim = "attention_head_dim"
    case normNumGroups = "norm_num_groups"
    case attnNormNumGroups = "attn_norm_num_groups"
    case normEps = "norm_eps"
    case resnetTimeScaleShift = "resnet_time_scale_shift"
    case addAttention = "add_attention"
    case classEmbedType = "class_embed_type"
    case numClassEmbeds = "num_class_embeds"
    case numTrainTimesteps = "num_train_timesteps"
  }

  /// Reads the keys that are there; the others keep their defaults. A `null` is `nil` where the property may be that.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      if let found = try values.decodeIfPresent(Value.self, forKey: key) { value = found }
    }
    func readOptional<Value: Decodable>(_ key: CodingKeys, _ value: inout Value?) throws {
      if values.contains(key) { value = try values.decodeIfPresent(Value.self, forKey: key) }
    }
    if let side = try? values.decodeIfPresent(Int.self, forKey: .sampleSize) {
      sampleSize = [side]
    } else {
      try readOptional(.sampleSize, &sampleSize)
    }
    try read(.inChannels, &inChannels)
    try read(.outChannels, &outChannels)
    try read(.centerInputSample, &centerInputSample)
    try read(.timeEmbeddingType, &timeEmbeddingType)
    try readOptional(.timeEmbeddingDim, &timeEmbeddingDim)
    try read(.freqShift, &freqShift)
    try read(.flipSinToCos, &flipSinToCos)
    try read(.downBlockTypes, &downBlockTypes)
    try readOptional(.midBlockType, &midBlockType)
    try read(.upBlockTypes, &upBlockTypes)
    try read(.blockOutChannels, &blockOutChannels)
    try read(.layersPerBlock, &layersPerBlock)
    try read(.midBlockScaleFactor, &midBlockScaleFactor)
    try read(.downsamplePadding, &downsamplePadding)
    try read(.downsampleType, &downsampleType)
    try read(.upsampleType, &upsampleType)
    try read(.dropout, &dropout)
    try read(.actFn, &actFn)
    try readOptional(.attentionHeadDim, &attentionHeadDim)
    try readOptional(.normNumGroups, &normNumGroups)
    try readOptional(.attnNormNumGroups, &attnNormNumGroups)
    try read(.normEps, &normEps)
    try read(.resnetTimeScaleShift, &resnetTimeScaleShift)
    try read(.addAttention, &addAttention)
    try readOptional(.classEmbedType, &classEmbedType)
    try readOptional(.numClassEmbeds, &numClassEmbeds)
    try readOptional(.numTrainTimesteps, &numTrainTimesteps)
  }

  /// Writes every key, `null` for what is absent.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if let sampleSize, sampleSize.count == 1 {
      try values.encode(sampleSize[0], forKey: .sampleSize)
    } else {
      try values.encode(sampleSize, forKey: .sampleSize)
    }
    try values.encode(inChannels, forKey: .inChannels)
    try values.encode(outChannels, forKey: .outChannels)
    try values.encode(centerInputSample, forKey: .centerInputSample)
    try values.encode(timeEmbeddingType, forKey: .timeEmbeddingType)
    try values.encode(timeEmbeddingDim, forKey: .timeEmbeddingDim)
    try values.encode(freqShift, forKey: .freqShift)
    try values.encode(flipSinToCos, forKey: .flipSinToCos)
    try values.encode(downBlockTypes, forKey: .downBlockTypes)
    try values.encode(midBlockType, forKey: .midBlockType)
    try values.encode(upBlockTypes, forKey: .upBlockTypes)
    try values.encode(blockOutChannels, forKey: .blockOutChannels)
    try values.encode(layersPerBlock, forKey: .layersPerBlock)
    try values.encode(midBlockScaleFactor, forKey: .midBlockScaleFactor)
    try values.encode(downsamplePadding, forKey: .downsamplePadding)
    try values.encode(downsampleType, forKey: .downsampleType)
    try values.encode(upsampleType, forKey: .upsampleType)
    try values.encode(dropout, forKey: .dropout)
    try values.encode(actFn, forKey: .actFn)
    try values.encode(attentionHeadDim, forKey: .attentionHeadDim)
    try values.encode(normNumGroups, forKey: .normNumGroups)
    try values.encode(attnNormNumGroups, forKey: .attnNormNumGroups)
    try values.encode(normEps, forKey: .normEps)
    try values.encode(resnetTimeScaleShift, forKey: .resnetTimeScaleShift)
    try values.encode(addAttention, forKey: .addAttention)
    try values.encode(classEmbedType, forKey: .classEmbedType)
    try values.encode(numClassEmbeds, forKey: .numClassEmbeds)
    try values.encode(numTrainTimesteps, forKey: .numTrainTimesteps)
  }

  /// Every key that is read.
  static let keys = Set(CodingKeys.allCases.map(\.rawValue))
}

extension DownBlockKind {
  /// The name, or the old one that begins with `UNetRes`; others are refused by name.
  public init(from decoder: any Decoder) throws { self = try .named(in: decoder) }
}

extension UpBlockKind {
  /// The name, or the old one that begins with `UNetRes`; others are refused by name.
  public init(from decoder: any Decoder) throws { self = try .named(in: decoder) }
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
  fileprivate static func named(in decoder: any Decoder) throws -> Self {
    let values = try decoder.singleValueContainer()
    let name = try values.decode(String.self)
    let current = name.hasPrefix("UNetRes") ? String(name.dropFirst(7)) : name
    if let kind = Self(rawValue: current) { return kind }
    let known = allCases.map(\.rawValue).joined(separator: ", ")
    throw DecodingError.dataCorruptedError(
      in: values, debugDescription: "\(name) is not supported; known are \(known)")
  }
}
