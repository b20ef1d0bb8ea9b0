import CTensorKernels

/// The type of a tensor's elements.
///
/// `float32` and `float64` compute; `float16`, `bfloat16` and `q8_0` only store (weights of a checkpoint),
/// and are converted by ``Tensor/converted(to:)`` before any arithmetic, or widened by the products they serve.
public enum DType: String, Sendable, Codable, CaseIterable {
  case float32, float64, float16, bfloat16
  /// Blocks of 32 neighbours of the last axis: a scale in half precision and signed bytes (ggml's Q8_0). Weights of linear
  /// layers alone have it.
  case q8_0

  /// Elements that are stored together, along the last axis: 1, or a block's 32.
  public var blockLength: Int { self == .q8_0 ? 32 : 1 }

  /// Bytes an element takes; of a type stored in blocks ends the program, see ``byteCount(of:)``.
  public var size: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    case .q8_0:
      misuse("q8_0", "elements are stored in blocks; convert with converted(to: .float32)")
    }
  }

  /// Bytes that `count` elements take, whole blocks of them.
  public func byteCount(of count: Int) -> Int {
    self == .q8_0 ? count / 32 * 34 : count * size
  }

  /// Whether operations accept tensors of this type.
  public var computes: Bool { self == .float32 || self == .float64 }

  /// The C kernels' name for a type that computes.
  package var kernelType: TKType {
    switch self {
    case .float32: TK_FLOAT32
    case .float64: TK_FLOAT64
    case .float16, .bfloat16, .q8_0:
      misuse("arithmetic", "\(rawValue) only stores; convert with converted(to: .float32) first")
    }
  }

  /// Whether weights of this type go with activations of type `computed`: the same type, or one that only stores.
  /// - Parameter inBlocks: whether the operation reads blocks.
  func serves(_ computed: DType, inBlocks: Bool = false) -> Bool {
    computed.computes && (self == computed || !computes) && (inBlocks || blockLength == 1)
  }

  /// The C kernels' name for how weights of this type are stored.
  var stored: TKStored {
    switch self {
    case .float16: TK_FLOAT16
    case .bfloat16: TK_BFLOAT16
    case .q8_0: TK_Q8_0
    case .float32, .float64: TK_AS_COMPUTED
    }
  }
}

/// A Swift type that tensors compute in: `Float` or `Double`.
public protocol TensorScalar: BinaryFloatingPoint, Sendable {
  /// The tensor element type that this Swift type is.
  static var dtype: DType { get }
}

extension Float: TensorScalar {
  /// `float32`.
  public static var dtype: DType { .float32 }
}

extension Double: TensorScalar {
  /// `float64`.
  public static var dtype: DType { .float64 }
}
