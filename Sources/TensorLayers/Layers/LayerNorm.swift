import TensorCore

/// Layer normalisation over the last axis, with a weight and (mostly) a bias. PyTorch's `nn.LayerNorm`.
public struct LayerNorm: Module {
  /// `[channels]`.
  public var weight: Tensor
  /// `[channels]`, where there is one.
  public var bias: Tensor?
  /// Added to the variance.
  public let epsilon: Double

  /// Ones and zeros; draws nothing.
  public init(
    channels: Int, epsilon: Double = 1e-5, hasBias: Bool = true,
    initializer: inout ParameterInitializer
  ) {
    weight = initializer.constant(1, [channels])
    bias = hasBias ? initializer.constant(0, [channels]) : nil
    self.epsilon = epsilon
  }

  /// The layer applied to `x [..., channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.layerNormalized(weight: weight, bias: bias, epsilon: epsilon)
  }

  /// `weight`, `bias`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .vector)
    try list.parameter("bias", &bias, .vector)
  }
}
