import TensorCheckpoints
import TensorCore
import TensorLayers

extension KLAutoencoder {
  /// What the parts of attention were called before diffusers 0.18.
  private static let oldNames = [
    "to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn",
  ]

  /// Takes every parameter from `source`, in which attention may have its old names.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` with every name that does not fit.
  public mutating func loadParameters<Source: CheckpointSource>(
    from source: Source, dtype: DType = .float32
  ) throws(CheckpointError) {
    var pairs: [(foreign: String, own: String)] = []
    for (name, _) in checkpointShapes() where name.contains("attentions.") {
      for (own, old) in Self.oldNames {
        let foreign = name.replacing(".\(own).", with: ".\(old).")
        if foreign != name && source.entry(named: foreign) != nil { pairs.append((foreign, name)) }
      }
    }
    if pairs.isEmpty { return try load(from: source, dtype: dtype) }
    try load(from: MappedCheckpoint(source, map: KeyMap(names: pairs)), dtype: dtype)
  }
}
