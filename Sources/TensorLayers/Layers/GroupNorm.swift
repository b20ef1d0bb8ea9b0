import TensorCore

/// Group normalisation with a weight and a bias a channel. PyTorch's `nn.GroupNorm`, channels last;
/// see ``TensorCore/Tensor/groupNormalized(groups:weight:bias:epsilon:thenSiLU:)``.
public struct GroupNorm: Module {
  /// `[channels]`.
  public var weight: Tensor
  /// `[channels]`.
  public var bias: Tensor
  /// How many groups the channels make.
  public let groups: Int
  /// Added to the variance.
  public let epsilon: Double

  /// Ones and zeros; draws nothing.
  public init(
    channels: Int, groups: Int, epsilon: Double = 1e-5, initializer: inout ParameterInitializer
  ) {
    weight = initializer.constant(1, [channels])
    bias = initializer.constant(0, [channels])
    self.groups = groups
    self.epsilon = epsilon
  }

  /// The layer applied to `x [batch, ..., channels]`, and then SiLU where that is asked for.
  public func callAsFunction(_ x: Tensor, thenSiLU: Bool = false) -> Tensor {
    x.groupNormalized(
      groups: groups, weight: weight, bias: bias, epsilon: epsilon, thenSiLU: thenSiLU)
  }

  /// The layer with each sample's own scale and shift behind it, `norm(x) (1 + scale) + shift`, in the same pass.
  /// `scale` and `shift` are `[batch, channels]`.
  public func callAsFunction(
    _ x: Tensor, scale: Tensor, shift: Tensor, thenSiLU: Bool = false
  ) -> Tensor {
    let factor = scale + 1
    return x.groupNormalized(
      groups: groups, weight: weight * factor, bias: bias * factor + shift, epsilon: epsilon,
      thenSiLU: thenSiLU)
  }

  /// `weight`, `bias`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .vector)
    try list.parameter("bias", &bias, .vector)
  }
}
