import TensorCore

/// Root-mean-square normalisation over the last axis, with a weight. PyTorch's `nn.RMSNorm`.
public struct RMSNorm: Module {
  /// `[channels]`.
  public var weight: Tensor
  /// Added to the mean square.
  public let epsilon: Double

  /// Ones; draws nothing.
  public init(
    channels: Int, epsilon: Double = 1e-6, initializer: inout ParameterInitializer
  ) {
    weight = initializer.constant(1, [channels])
    self.epsilon = epsilon
  }

  /// The layer applied to `x [..., channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.rmsNormalized(weight: weight, epsilon: epsilon)
  }

  /// `weight`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .vector)
  }
}
