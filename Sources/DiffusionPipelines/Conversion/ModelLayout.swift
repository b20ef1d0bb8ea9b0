import TensorCheckpoints

/// How a latent model's parts are put into files.
public enum ModelLayout: String, Sendable, CaseIterable {
  /// A folder as diffusers writes it.
  case diffusers
  /// One safetensors file under the names of CompVis and Stability AI.
  case single
  /// One GGUF file under the same names, as stable-diffusion.cpp reads it.
  case gguf

  /// The layout that a path's ending asks for.
  public init(path: String) {
    self =
      path.hasSuffix(".gguf") ? .gguf : path.hasSuffix(".safetensors") ? .single : .diffusers
  }
}

/// In which precision elements are written.
public enum StoredPrecision: String, Sendable, CaseIterable {
  case f32, f16, bf16
  /// Blocks of 32 with a scale: GGUF's Q8_0, for matrices alone. Convolutions and tables of tokens are written in half
  /// precision, vectors as they are.
  case q8_0

  /// The type for a tensor of `type` and `shape`; integers stay.
  func type(_ name: String, _ type: StoredType, _ shape: [Int]) -> StoredType {
    if type.isInteger { return type }
    switch self {
    case .f32: return .float32
    case .f16: return .float16
    case .bf16: return .bfloat16
    case .q8_0:
      if shape.count < 2 { return type.widened }
      let isTable = name.contains("embedding") && !name.contains("linear")
      return shape.count == 2 && shape[1] % 32 == 0 && !isTable ? .q8_0 : .float16
    }
  }
}
