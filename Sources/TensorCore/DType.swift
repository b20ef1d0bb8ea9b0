import CTensorKernels

/// The type of a tensor's elements.
///
/// `float32` and `float64` compute; `float16` and `bfloat16` only store (weights of a checkpoint),
/// and are converted by ``Tensor/converted(to:)`` before any arithmetic.
public enum DType: String, Sendable, Codable, CaseIterable {
  case float32, float64, float16, bfloat16

  /// Bytes an element takes.
  public var size: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    }
  }

  /// Whether operations accept tensors of this type.
  public var computes: Bool { self == .float32 || self == .float64 }

  /// The C kernels' name for a type that computes.
  package var kernelType: TKType {
    switch self {
    case .float32: TK_FLOAT32
    case .float64: TK_FLOAT64
    case .float16, .bfloat16:
      misuse("arithmetic", "\(rawValue) only stores; convert with converted(to: .float32) first")
    }
  }

  /// Whether weights of this type go with activations of type `computed`: the same type, or one that only stores.
  func serves(_ computed: DType) -> Bool { computed.computes && (self == computed || !computes) }

  /// The C kernels' name for how weights of this type are stored.
  var stored: TKStored {
    switch self {
    case .float16: TK_FLOAT16
    case .bfloat16: TK_BFLOAT16
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
