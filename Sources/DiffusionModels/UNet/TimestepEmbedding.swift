import TensorCore
import TensorLayers

/// Two linear layers with SiLU between: diffusers' `TimestepEmbedding`. `[batch, inputs]` gives `[batch, width]`.
public struct TimestepEmbedding: Module {
  var linear1: Linear
  var linear2: Linear

  /// A block with PyTorch's initialisation.
  public init(inputs: Int, width: Int, initializer: inout ParameterInitializer) {
    linear1 = Linear(inputs: inputs, outputs: width, initializer: &initializer)
    linear2 = Linear(inputs: width, outputs: width, initializer: &initializer)
  }

  /// The block applied to `x [batch, inputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { linear2(linear1(x).silu()) }

  /// `linear_1`, `linear_2`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("linear_1", &linear1)
    try list.module("linear_2", &linear2)
  }
}
