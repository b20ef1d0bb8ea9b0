import TensorCore
import TensorLayers

/// diffusers' `DownBlock2D`, `AttnDownBlock2D` and `ResnetDownsampleBlock2D`: residual blocks, each with attention behind
/// it or none, then what halves the picture (at all levels but the innermost).
public struct DownBlock: Module {
  /// What halves the picture.
  enum Halving: Sendable {
    case convolution(Downsample)
    case residual(ResidualBlock)
  }

  var attentions: [Attention] = []
  var residuals: [ResidualBlock] = []
  var halving: Halving?

  /// A block with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - layers: how many residual blocks.
  ///   - headWidth: channels of an attention head, where the kind has attention.
  ///   - downsampling: what halves the picture; `nil` for nothing.
  ///   - padding: of the convolution that halves.
  public init(
    _ kind: DownBlockKind, inputs: Int, outputs: Int, layers: Int, headWidth: Int,
    downsampling: ResamplingKind?, padding: Int = 1, style: ResidualBlock.Style,
    initializer: inout ParameterInitializer
  ) {
    for layer in 0..<layers {
      residuals.append(
        ResidualBlock(
          inputs: layer == 0 ? inputs : outputs, outputs: outputs, style: style,
          initializer: &initializer))
      if kind == .attention {
        attentions.append(
          Attention(
            channels: outputs, headWidth: headWidth, groups: style.groups, epsilon: style.epsilon,
            outputScale: style.outputScale, initializer: &initializer))
      }
    }
    switch downsampling {
    case nil: halving = nil
    case .convolution:
      halving = .convolution(
        Downsample(channels: outputs, padding: padding, initializer: &initializer))
    case .residual:
      halving = .residual(
        ResidualBlock(
          inputs: outputs, outputs: outputs, style: style, resampling: .down,
          initializer: &initializer))
    }
  }

  /// The block applied to `x [batch, height, width, inputs]`: what every layer gave, the last one's first of all to be
  /// worked on; all of them go to the block of the same level on the way up.
  ///
  /// - Parameter time: the activated time embedding.
  public func callAsFunction(
    _ x: Tensor, time: Tensor?, mode: ExecutionMode = .inference
  ) -> [Tensor] {
    var results: [Tensor] = []
    var hidden = x
    for (layer, residual) in residuals.enumerated() {
      hidden = residual(hidden, time: time, mode: mode.part(layer))
      if !attentions.isEmpty { hidden = attentions[layer](hidden, mode: mode) }
      results.append(hidden)
    }
    switch halving {
    case .convolution(let downsample): results.append(downsample(hidden))
    case .residual(let residual):
      results.append(residual(hidden, time: time, mode: mode.part(residuals.count)))
    case nil: break
    }
    return results
  }

  /// `attentions`, `resnets`, `downsamplers`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("attentions", &attentions)
    try list.modules("resnets", &residuals)
    switch halving.take() {
    case .convolution(var downsample):
      defer { halving = .convolution(downsample) }
      try list.module("downsamplers.0", &downsample)
    case .residual(var residual):
      defer { halving = .residual(residual) }
      try list.module("downsamplers.0", &residual)
    case nil: break
    }
  }
}
