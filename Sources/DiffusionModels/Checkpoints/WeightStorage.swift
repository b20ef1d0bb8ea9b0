import TensorCheckpoints
import TensorCore
import TensorLayers

/// How a loaded network keeps its weights: the matrices of linear layers, convolutions and tables of tokens. What has one
/// axis (biases, norms) is always widened.
public enum WeightStorage: String, Sendable, Hashable, CaseIterable {
  /// In the type that is computed in.
  case widened
  /// In half precision where the file has them so, with the same numbers; quantised ones are rounded to half precision.
  case stored
  /// As ``stored``, and read from the file at each use: the memory of one layer, at the price of reading.
  case streamed

  /// Whether parameters of this layout are weights.
  public static func isWeight(_ layout: ParameterLayout) -> Bool {
    switch layout {
    case .linear, .convolution, .embedding: true
    case .vector, .transposedConvolution: false
    }
  }

  /// The type that a weight of this layout and shape is rounded to where `type` is asked for: blocks serve linear layers
  /// whose inputs are a multiple of 32, other weights are rounded to bfloat16 then.
  public static func rounded(
    to type: DType, _ layout: ParameterLayout, shape: [Int]
  ) -> DType? {
    guard isWeight(layout) else { return nil }
    let isBlocks = layout == .linear && (shape.last ?? 0).isMultiple(of: type.blockLength)
    return type.blockLength == 1 || isBlocks ? type : .bfloat16
  }

  /// The type that a weight stored as `type` is kept in, where that is not the type that is computed in.
  public func type(of type: StoredType, _ layout: ParameterLayout) -> DType? {
    guard self != .widened, Self.isWeight(layout) else { return nil }
    if type == .float16 || type == .bfloat16 { return type.dtype }
    return type.blockLength > 1 ? .float16 : nil
  }
}
