import TensorCore

/// The activation functions that configurations name.
public enum Activation: String, Sendable, Codable, CaseIterable {
  /// `x sigmoid(x)`.
  case silu
  /// SiLU under its other name.
  case swish
  /// `x tanh(log(1 + e^x))` (Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", equation 1).
  case mish
  /// `x Phi(x)` with the exact distribution function of the normal distribution.
  case gelu
  /// `max(x, 0)`.
  case relu

  /// Whether this is SiLU, which normalisations apply in their own pass.
  public var isSiLU: Bool { self == .silu || self == .swish }

  /// The function of each element of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .silu, .swish: x.silu()
    case .mish: x * x.softplus().tanh()
    case .gelu: x.gelu()
    case .relu: x.relu()
    }
  }
}

extension GroupNorm {
  /// The layer and then `activation`, in one pass where that is SiLU.
  public func callAsFunction(_ x: Tensor, then activation: Activation) -> Tensor {
    activation.isSiLU ? self(x, thenSiLU: true) : activation(self(x))
  }
}
