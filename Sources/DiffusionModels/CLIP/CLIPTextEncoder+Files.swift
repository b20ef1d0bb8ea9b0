import TensorCheckpoints
import TensorCore
import TensorLayers

extension CLIPTextEncoder {
  /// Takes every parameter from `source`, whose names begin with `text_model.`, as transformers wrote them before version
  /// 5, or do not.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` with every name that does not fit.
  public mutating func loadParameters<Source: CheckpointSource>(
    from source: Source, dtype: DType = .float32
  ) throws(CheckpointError) {
    try load(from: source, oldPrefix: "text_model.", projection: "text_projection", dtype)
  }
}

extension CLIPVisionEncoder {
  /// Takes every parameter from `source`, whose names begin with `vision_model.`, as transformers wrote them before version
  /// 5, or do not.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` with every name that does not fit.
  public mutating func loadParameters<Source: CheckpointSource>(
    from source: Source, dtype: DType = .float32
  ) throws(CheckpointError) {
    try load(from: source, oldPrefix: "vision_model.", projection: "visual_projection", dtype)
  }
}

extension Module {
  /// The positions' numbers that old files have beside the parameters are left aside.
  fileprivate mutating func load<Source: CheckpointSource>(
    from source: Source, oldPrefix: String, projection: String, _ dtype: DType
  ) throws(CheckpointError) {
    let numbers = ["\(oldPrefix)embeddings.position_ids", "embeddings.position_ids"]
    let part = CheckpointPart(source, under: "", excluding: numbers)
    guard source.entries.contains(where: { $0.name.hasPrefix(oldPrefix) }) else {
      return try load(from: part, dtype: dtype)
    }
    let map = KeyMap(
      names: [("\(projection).weight", "\(projection).weight")],
      prefixes: [KeyMap.Prefix(oldPrefix, "")])
    try load(from: MappedCheckpoint(part, map: map), dtype: dtype)
  }
}
