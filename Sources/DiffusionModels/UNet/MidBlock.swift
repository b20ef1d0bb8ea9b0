import TensorCore
import TensorLayers

/// diffusers' `UNetMidBlock2D`: a residual block, then pairs of attention (or none) and a residual block.
public struct MidBlock: Module {
  var attentions: [Attention] = []
  var residuals: [ResidualBlock] = []

  /// A block with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - pairs: how many pairs follow the first residual block.
  ///   - headWidth: channels of an attention head; `nil` for no attention.
  ///   - attentionGroups: groups of the norm before attention; `nil` for no norm.
  public init(
    channels: Int, pairs: Int = 1, headWidth: Int?, attentionGroups: Int?,
    style: ResidualBlock.Style, initializer: inout ParameterInitializer
  ) {
    residuals.append(
      ResidualBlock(inputs: channels, outputs: channels, style: style, initializer: &initializer))
    for _ in 0..<pairs {
      if let headWidth {
        attentions.append(
          Attention(
            channels: channels, headWidth: headWidth, groups: attentionGroups,
            epsilon: style.epsilon, outputScale: style.outputScale, initializer: &initializer))
      }
      residuals.append(
        ResidualBlock(inputs: channels, outputs: channels, style: style, initializer: &initializer)
      )
    }
  }

  /// The block applied to `x [batch, height, width, channels]`; `time` is the activated time embedding.
  public func callAsFunction(
    _ x: Tensor, time: Tensor?, mode: ExecutionMode = .inference
  ) -> Tensor {
    var hidden = residuals[0](x, time: time, mode: mode.part(0))
    for index in residuals.indices.dropFirst() {
      if !attentions.isEmpty { hidden = attentions[index - 1](hidden, mode: mode) }
      hidden = residuals[index](hidden, time: time, mode: mode.part(index))
    }
    return hidden
  }

  /// `attentions`, `resnets`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("attentions", &attentions)
    try list.modules("resnets", &residuals)
  }
}
