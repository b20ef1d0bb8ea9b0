import TensorCheckpoints
import TensorCore
import TensorLayers

extension TinyAutoencoder {
  /// Takes the encoder from a file of the original repository, whose names are the layers' places: `0.weight`.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` with every name that does not fit.
  public mutating func loadEncoder<Source: CheckpointSource>(
    from source: Source, dtype: DType = .float32
  ) throws(CheckpointError) {
    try encoder.load(from: source, dtype: dtype)
  }

  /// Takes the decoder from a file of the original repository. Its sequence begins with the function that draws latents
  /// in, so that every layer's place is one more than in diffusers' files.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` with every name that does not fit.
  public mutating func loadDecoder<Source: CheckpointSource>(
    from source: Source, dtype: DType = .float32
  ) throws(CheckpointError) {
    let names = decoder.checkpointShapes().map { own, _ -> (foreign: String, own: String) in
      let parts = own.split(separator: ".", maxSplits: 1)
      return ("\((Int(parts[0]) ?? 0) + 1).\(parts[1])", own)
    }
    try decoder.load(from: MappedCheckpoint(source, map: KeyMap(names: names)), dtype: dtype)
  }
}
