import DiffusionModels
import TensorCore

/// How a latent model's memory is held down.
public struct MemoryMeasures: Sendable, Hashable {
  /// How weights are kept.
  public var weights: WeightStorage
  /// The type that weights are rounded to; `nil` for the files'.
  public var weightType: DType?
  /// The tiles that pictures are decoded in; `nil` for whole pictures.
  public var tiling: AutoencoderTiling?

  /// Weights as the files have them, and pictures decoded whole.
  public init(
    weights: WeightStorage = .stored, weightType: DType? = nil, tiling: AutoencoderTiling? = nil
  ) {
    self.weights = weights
    self.weightType = weightType
    self.tiling = tiling
  }
}

extension MemoryMeasures: CustomStringConvertible {
  /// A few words.
  public var description: String {
    var words = [weights == .streamed ? "weights read at each use" : "weights in memory"]
    if let weightType { words.append("as \(weightType)") }
    words.append(tiling.map { "decoded in tiles of \($0.latentSide)" } ?? "decoded whole")
    return words.joined(separator: ", ")
  }
}
