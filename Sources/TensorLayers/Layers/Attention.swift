import TensorCore

/// Self-attention over the pixels of a picture, as diffusers' `Attention` is in a pixel U-Net: group norm, projections to
/// queries, keys and values, attention of several heads, a projection back, and the input added.
///
/// `[batch, height, width, channels]` gives the same shape; each pixel is a token.
public struct Attention: Module {
  /// The norm before the projections, where there is one.
  public var groupNorm: GroupNorm?
  /// To queries, `[heads * head width, channels]`.
  public var toQuery: Linear
  /// To keys.
  public var toKey: Linear
  /// To values.
  public var toValue: Linear
  /// Back to `channels`.
  public var toOutput: Linear
  /// How many heads.
  public let heads: Int
  /// What the sum with the input is divided by.
  public let outputScale: Double

  /// A layer with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - headWidth: channels a head has; there are `channels / headWidth` heads.
  ///   - groups: groups of the norm; `nil` for no norm.
  public init(
    channels: Int, headWidth: Int, groups: Int?, epsilon: Double = 1e-5, outputScale: Double = 1,
    initializer: inout ParameterInitializer
  ) {
    heads = channels / headWidth
    self.outputScale = outputScale
    let inner = heads * headWidth
    groupNorm = groups.map {
      GroupNorm(channels: channels, groups: $0, epsilon: epsilon, initializer: &initializer)
    }
    toQuery = Linear(inputs: channels, outputs: inner, initializer: &initializer)
    toKey = Linear(inputs: channels, outputs: inner, initializer: &initializer)
    toValue = Linear(inputs: channels, outputs: inner, initializer: &initializer)
    toOutput = Linear(inputs: inner, outputs: channels, initializer: &initializer)
  }

  /// The layer applied to `x [batch, height, width, channels]`.
  public func callAsFunction(_ x: Tensor, mode: ExecutionMode = .inference) -> Tensor {
    run([x], mode) { layer, inputs, _ in layer.attended(inputs[0]) }
  }

  private func attended(_ x: Tensor) -> Tensor {
    let tokens = x.reshaped([x.shape[0], -1, x.shape[x.rank - 1]])
    let normed = groupNorm.map { $0(tokens) } ?? tokens
    let mixed = Tensor.attention(
      query: toQuery(normed), key: toKey(normed), value: toValue(normed), heads: heads)
    let sum = (toOutput(mixed) + tokens).reshaped(x.shape)
    return outputScale == 1 ? sum : sum / outputScale
  }

  /// `group_norm`, `to_q`, `to_k`, `to_v`, `to_out.0`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("group_norm", &groupNorm)
    try list.module("to_q", &toQuery)
    try list.module("to_k", &toKey)
    try list.module("to_v", &toValue)
    try list.module("to_out.0", &toOutput)
  }
}
