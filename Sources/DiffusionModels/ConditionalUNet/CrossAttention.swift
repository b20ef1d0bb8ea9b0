import TensorCore
import TensorLayers

/// Attention from tokens to a context: to themselves, or to a text (Vaswani et al. 2017, section 3.2.2). No bias before,
/// one behind. diffusers' `Attention` in transformer blocks.
struct CrossAttention: Module {
  private var toQuery: Linear
  private var toKey: Linear
  private var toValue: Linear
  private var toOutput: Linear
  private let heads: Int
  /// A text's keys and values, which are the same at every step; `nil` where the context is no text.
  private let ofText: LastResult?

  /// - Parameters:
  ///   - context: channels of the context's tokens.
  ///   - isOfText: whether the context is a text, whose keys and values are kept for the next evaluation.
  init(
    channels: Int, context: Int, heads: Int, isOfText: Bool,
    _ initializer: inout ParameterInitializer
  ) {
    self.heads = heads
    ofText = isOfText ? LastResult() : nil
    toQuery = Linear(inputs: channels, outputs: channels, hasBias: false, initializer: &initializer)
    toKey = Linear(inputs: context, outputs: channels, hasBias: false, initializer: &initializer)
    toValue = Linear(inputs: context, outputs: channels, hasBias: false, initializer: &initializer)
    toOutput = Linear(inputs: channels, outputs: channels, initializer: &initializer)
  }

  /// `x [batch, tokens, channels]` and `context [batch, context tokens, context channels]` give `x`'s shape.
  func callAsFunction(_ x: Tensor, context: Tensor) -> Tensor {
    func project() -> [Tensor] { [toKey(context), toValue(context)] }
    let projected = ofText?.of([context, toKey.weight, toValue.weight], project) ?? project()
    return toOutput(
      Tensor.attention(
        query: toQuery(x), key: projected[0], value: projected[1], heads: heads))
  }

  /// `to_q`, `to_k`, `to_v`, `to_out.0`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("to_q", &toQuery)
    try list.module("to_k", &toKey)
    try list.module("to_v", &toValue)
    try list.module("to_out.0", &toOutput)
  }
}

/// A perceptron whose hidden layer is gated: `h GELU(g)` with `h` and `g` the halves of one projection (Shazeer 2020).
/// diffusers' `FeedForward` with `geglu`.
struct GatedPerceptron: Module {
  private var widening: Linear
  private var narrowing: Linear

  init(channels: Int, _ initializer: inout ParameterInitializer) {
    widening = Linear(inputs: channels, outputs: 8 * channels, initializer: &initializer)
    narrowing = Linear(inputs: 4 * channels, outputs: channels, initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    narrowing(widening(x).gatedGELU())
  }

  /// `net.0.proj`, `net.2`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("net.0.proj", &widening)
    try list.module("net.2", &narrowing)
  }
}
