import Foundation
import TensorLayers

extension UNetConfiguration {
  /// Keys that diffusers writes beside those of the constructor.
  private static let bookkeeping: Set<String> = [
    "_class_name", "_diffusers_version", "_name_or_path", "decay", "inv_gamma", "min_decay",
    "optimization_step", "power", "update_after_step", "use_ema_warmup",
  ]

  /// Reads a `config.json`.
  ///
  /// - Parameter unknownKeys: set to the keys that it has and this engine does not know, in order.
  /// - Throws: ``ModelError`` for what is no JSON object, for a value of the wrong kind and for blocks that are not
  ///   supported (those that take in text), and where values do not go together.
  public init(json: Data, unknownKeys: inout [String]) throws(ModelError) {
    guard let object = (try? JSONSerialization.jsonObject(with: json)) as? [String: Any] else {
      throw .configuration(key: "", problem: "it is no JSON object; give diffusers' config.json")
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: json)
    } catch let error as DecodingError {
      throw ModelError(error)
    } catch {
      throw .configuration(key: "", problem: "\(error)")
    }
    unknownKeys = object.keys.filter { !Self.keys.contains($0) && !Self.bookkeeping.contains($0) }
      .sorted()
    try validate()
  }

  /// Checks that the values go together.
  ///
  /// - Throws: ``ModelError`` with the first key that does not.
  public func validate() throws(ModelError) {
    let levels = blockOutChannels.count
    try Self.expect(levels > 0, "block_out_channels", "at least one level is needed")
    try Self.expect(
      downBlockTypes.count == levels, "down_block_types",
      "\(downBlockTypes.count) blocks for \(levels) levels of block_out_channels: one for each")
    try Self.expect(
      upBlockTypes.count == levels, "up_block_types",
      "\(upBlockTypes.count) blocks for \(levels) levels of block_out_channels: one for each")
    try Self.expect(
      inChannels > 0 && outChannels > 0, "in_channels, out_channels",
      "both must be positive, found \(inChannels) and \(outChannels)")
    try Self.expect(
      layersPerBlock > 0, "layers_per_block", "at least 1 is needed, found \(layersPerBlock)")
    try Self.expect(
      dropout >= 0 && dropout < 1, "dropout", "a share from 0 to below 1, found \(dropout)")
    try Self.expect(
      midBlockScaleFactor != 0, "mid_block_scale_factor", "it divides: 0 is not possible")
    try Self.expect(
      timeEmbeddingType != .learned || (numTrainTimesteps ?? 0) > 0, "num_train_timesteps",
      "a learned time embedding needs the number of timesteps")
    try Self.expect(
      timeEmbeddingType != .positional || Double(blockOutChannels[0] / 2) > freqShift,
      "freq_shift", "\(freqShift) leaves no frequencies of \(blockOutChannels[0]) channels")
    try validateChannels()
  }

  private func validateChannels() throws(ModelError) {
    if let normNumGroups {
      try Self.expect(
        normNumGroups > 0, "norm_num_groups", "a positive number, found \(normNumGroups)")
    }
    for (level, channels) in blockOutChannels.enumerated() {
      try Self.expect(channels > 0, "block_out_channels", "\(channels) channels at a level")
      try expectDivides(
        channels, into: residualStyle.groups(of: channels),
        named: normNumGroups == nil ? "groups" : "norm_num_groups")
      let head = headWidth(channels)
      try Self.expect(
        head > 0 && (head <= channels || !hasAttention(at: level)), "attention_head_dim",
        "a head of \(head) channels does not fit into \(channels)")
    }
    if let groups = attnNormNumGroups, let channels = blockOutChannels.last {
      try Self.expect(
        groups > 0 && channels % groups == 0, "attn_norm_num_groups",
        "\(channels) channels do not divide into \(groups) groups")
    }
    try validateSkipBlocks()
  }

  /// The pictures beside the skip blocks have the right size only if all blocks outside of them halve and double them too;
  /// and their channels divide into groups of their own.
  private func validateSkipBlocks() throws(ModelError) {
    let last = blockOutChannels.count - 1
    try Self.expect(
      !zip(downBlockTypes, downBlockTypes.dropFirst()).contains { !$0.isSkip && $1.isSkip },
      "down_block_types", "blocks with Skip in their name come first")
    try Self.expect(
      !zip(upBlockTypes, upBlockTypes.dropFirst()).contains { $0.isSkip && !$1.isSkip },
      "up_block_types", "blocks with Skip in their name come last")
    let channels = blockOutChannels
    for (level, kind) in downBlockTypes.enumerated() where kind.isSkip {
      try expectDivides(channels[max(0, level - 1)])
      try expectDivides(channels[level], hasAttention: kind.hasAttention)
    }
    for (index, kind) in upBlockTypes.enumerated() where kind.isSkip {
      let level = last - index
      try expectDivides(channels[level], hasAttention: kind.hasAttention)
      for layer in 0...layersPerBlock {
        let hidden = layer == 0 ? channels[min(level + 1, last)] : channels[level]
        let skip = layer == layersPerBlock ? channels[max(level - 1, 0)] : channels[level]
        let own = kind.inputGroups(hidden: hidden, skip: skip)
        try expectDivides(
          hidden + skip, into: own ?? residualStyle.progressive.groups(of: hidden + skip))
      }
    }
  }

  /// Channels of a skip block.
  private func expectDivides(_ channels: Int, hasAttention: Bool = false) throws(ModelError) {
    try expectDivides(channels, into: residualStyle.progressive.groups(of: channels))
    if hasAttention { try expectDivides(channels, into: 32) }
  }

  private func expectDivides(
    _ channels: Int, into groups: Int, named name: String = "groups"
  ) throws(ModelError) {
    try Self.expect(
      channels % groups == 0, "block_out_channels",
      "\(channels) channels do not divide into \(name) \(groups)")
  }

  private func hasAttention(at level: Int) -> Bool {
    let last = blockOutChannels.count - 1
    return downBlockTypes[level].hasAttention || upBlockTypes[last - level].hasAttention
      || (level == last && midBlockType != nil && addAttention)
  }

  private static func expect(
    _ condition: Bool, _ key: String, _ problem: @autoclosure () -> String
  ) throws(ModelError) {
    if !condition { throw .configuration(key: key, problem: problem()) }
  }
}

extension ModelError {
  /// The key and the reason of a decoding error.
  init(_ error: DecodingError) {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default:
      self = .configuration(key: "", problem: "\(error)")
      return
    }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined()
    self = .configuration(key: path, problem: context.debugDescription)
  }
}
