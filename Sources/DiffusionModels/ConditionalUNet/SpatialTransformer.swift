import TensorCore
import TensorLayers

/// A picture's pixels as tokens that attend to themselves and to a text (Rombach et al. 2022, section 3.3 and appendix
/// E.2.1): group norm, a projection, transformer blocks, a projection, the input added. diffusers' `Transformer2DModel`.
struct SpatialTransformer: Module {
  private var norm: GroupNorm
  private var inputLinear: Linear?
  private var inputConvolution: Convolution?
  private var blocks: [TransformerBlock] = []
  private var outputLinear: Linear?
  private var outputConvolution: Convolution?

  /// What the transformers of one level have in common.
  struct Style: Sendable {
    /// Heads of attention.
    var heads: Int
    /// Transformer blocks.
    var depth: Int
    /// Channels of the text's tokens.
    var context: Int
    /// Groups of the norm.
    var groups: Int
    /// Whether the projections are linear layers (Stable Diffusion 2, SDXL), not 1x1 convolutions: the same, stored
    /// otherwise.
    var isLinear: Bool
    /// Whether the first attention looks at the text too.
    var onlyCross: Bool
  }

  init(channels: Int, _ style: Style, _ initializer: inout ParameterInitializer) {
    norm = GroupNorm(
      channels: channels, groups: style.groups, epsilon: 1e-6, initializer: &initializer)
    if style.isLinear {
      inputLinear = Linear(inputs: channels, outputs: channels, initializer: &initializer)
    } else {
      inputConvolution = Convolution(
        inputs: channels, outputs: channels, kernel: 1, initializer: &initializer)
    }
    for _ in 0..<style.depth {
      blocks.append(TransformerBlock(channels: channels, style, &initializer))
    }
    if style.isLinear {
      outputLinear = Linear(inputs: channels, outputs: channels, initializer: &initializer)
    } else {
      outputConvolution = Convolution(
        inputs: channels, outputs: channels, kernel: 1, initializer: &initializer)
    }
  }

  /// `x [batch, height, width, channels]` and a text `[batch, tokens, context]` give `x`'s shape.
  func callAsFunction(_ x: Tensor, text: Tensor, mode: ExecutionMode) -> Tensor {
    let flat = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
    var hidden = norm(x)
    if let inputConvolution { hidden = inputConvolution(hidden) }
    hidden = hidden.reshaped(flat)
    if let inputLinear { hidden = inputLinear(hidden) }
    for (index, block) in blocks.enumerated() {
      hidden = block(hidden, text: text, mode: mode.part(index))
    }
    if let outputLinear { hidden = outputLinear(hidden) }
    hidden = hidden.reshaped(x.shape)
    return (outputConvolution.map { $0(hidden) } ?? hidden) + x
  }

  /// `norm`, `proj_in`, `transformer_blocks`, `proj_out`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("norm", &norm)
    try list.module("proj_in", &inputLinear)
    try list.module("proj_in", &inputConvolution)
    try list.modules("transformer_blocks", &blocks)
    try list.module("proj_out", &outputLinear)
    try list.module("proj_out", &outputConvolution)
  }
}

/// Attention to itself, attention to the text, a gated perceptron, each behind a layer norm and added to its input.
/// diffusers' `BasicTransformerBlock`.
private struct TransformerBlock: Module {
  var norm1: LayerNorm
  var attention1: CrossAttention
  var norm2: LayerNorm
  var attention2: CrossAttention
  var norm3: LayerNorm
  var perceptron: GatedPerceptron
  let onlyCross: Bool

  init(
    channels: Int, _ style: SpatialTransformer.Style, _ initializer: inout ParameterInitializer
  ) {
    onlyCross = style.onlyCross
    norm1 = LayerNorm(channels: channels, initializer: &initializer)
    attention1 = CrossAttention(
      channels: channels, context: onlyCross ? style.context : channels, heads: style.heads,
      isOfText: onlyCross, &initializer)
    norm2 = LayerNorm(channels: channels, initializer: &initializer)
    attention2 = CrossAttention(
      channels: channels, context: style.context, heads: style.heads, isOfText: true, &initializer)
    norm3 = LayerNorm(channels: channels, initializer: &initializer)
    perceptron = GatedPerceptron(channels: channels, &initializer)
  }

  func callAsFunction(_ x: Tensor, text: Tensor, mode: ExecutionMode) -> Tensor {
    run([x, text], mode) { block, inputs, _ in block.computed(inputs[0], inputs[1]) }
  }

  private func attended(_ normed: Tensor, _ text: Tensor) -> Tensor {
    attention1(normed, context: onlyCross ? text : normed)
  }

  private func computed(_ x: Tensor, _ text: Tensor) -> Tensor {
    var hidden = x + attended(norm1(x), text)
    hidden = hidden + attention2(norm2(hidden), context: text)
    return hidden + perceptron(norm3(hidden))
  }

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("norm1", &norm1)
    try list.module("attn1", &attention1)
    try list.module("norm2", &norm2)
    try list.module("attn2", &attention2)
    try list.module("norm3", &norm3)
    try list.module("ff", &perceptron)
  }
}
