import Foundation
import TensorCheckpoints
import TensorCore

/// Vectors that were learned for a word (textual inversion, Gal et al. 2022, arXiv:2208.01618), from a file.
public struct TextualInversion: Sendable {
  /// The file.
  public let path: String
  /// What the word may be called in a prompt: the file's name without its ending, and the name in the file where there is
  /// one.
  public let words: [String]
  /// `[count, width]`, one for each text encoder that has the width.
  public let vectors: [Tensor]

  /// Reads a file of AUTOMATIC1111's web UI (`string_to_param`, `emb_params`), of diffusers (one tensor under its word) or
  /// for SDXL (`clip_l`, `clip_g`).
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError`` where the tensors are others.
  public init(_ source: any CheckpointSource) throws(CheckpointError) {
    path = source.path
    let names = source.entries.map(\.name)
    let known = ["string_to_param.*", "emb_params"]
    var word: String?
    var used: [String]
    if let name = known.first(where: names.contains) {
      (word, used) = (source.metadata["name"], [name])
    } else if names.contains("clip_l") || names.contains("clip_g") {
      used = ["clip_l", "clip_g"].filter(names.contains)
    } else {
      (word, used) = (names.first, names)
    }
    let shapes = used.compactMap { source.entry(named: $0)?.shape }
    let lengths = Set(shapes.map { $0.count == 2 ? $0[0] : 1 })
    guard used.count == (names.contains("clip_l") && names.contains("clip_g") ? 2 : 1),
      shapes.allSatisfy({ (1...2).contains($0.count) && !$0.contains(0) }), lengths.count == 1
    else {
      throw .malformed(
        path: path,
        reason: "expected the vectors of one word, [width] or [count, width], under "
          + "string_to_param.*, emb_params, clip_l and clip_g, or the word itself; found "
          + "\(names.prefix(4).joined(separator: ", ")) of shapes \(shapes.prefix(4))")
    }
    var vectors: [Tensor] = []
    for name in used {
      let stored = try source.tensor(named: name).converted(to: .float32)
      vectors.append(stored.rank == 2 ? stored : stored.reshaped([1, stored.count]))
    }
    self.vectors = vectors
    let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    words = [stem] + [word].compactMap(\.self).filter { $0 != stem && $0 != "*" && !$0.isEmpty }
  }
}

extension CLIPTextEncoder {
  /// The encoder with vectors `[count, width]` behind those of its vocabulary, and their tokens.
  public func adding(_ vectors: Tensor) -> (encoder: Self, tokens: [Int]) {
    require(
      vectors.rank == 2 && vectors.shape[1] == configuration.width, "adding",
      "vectors are [count, \(configuration.width)], got \(vectors.shape)")
    var encoder = self
    let table = tokens.weight
    encoder.tokens.weight = Tensor.concatenated(
      [table, vectors.converted(to: table.dtype)], axis: 0)
    return (encoder, Array(table.shape[0]..<table.shape[0] + vectors.shape[0]))
  }
}
