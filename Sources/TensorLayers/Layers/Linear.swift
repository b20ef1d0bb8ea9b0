import TensorCore

/// `y = x W^T + b` over the last axis: `[batch, ..., inputs]` gives `[batch, ..., outputs]`. PyTorch's `nn.Linear`.
public struct Linear: Module {
  /// `[outputs, inputs]`.
  public var weight: Tensor
  /// `[outputs]`, where there is one.
  public var bias: Tensor?

  /// A layer with PyTorch's initialisation: first the weight, then the bias.
  public init(
    inputs: Int, outputs: Int, hasBias: Bool = true, initializer: inout ParameterInitializer
  ) {
    let shape = [outputs, inputs]
    weight = initializer.weight(shape, .linear)
    bias = hasBias ? initializer.bias(outputs, weight: shape) : nil
  }

  /// The layer applied to `x [batch, ..., inputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    weight.whileUsed { x.linear(weight, bias) }
  }

  /// `weight`, `bias`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .linear)
    try list.parameter("bias", &bias, .vector)
  }
}
