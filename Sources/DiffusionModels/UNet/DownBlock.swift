import TensorCore
import TensorLayers

/// diffusers' `DownBlock2D`, `AttnDownBlock2D`, `ResnetDownsampleBlock2D`, `SkipDownBlock2D` and `AttnSkipDownBlock2D`:
/// residual blocks, each with attention behind it or none, then what halves the picture (at all levels but the
/// innermost). The skip blocks are NCSN++'s (Song et al. 2021, appendix H.2): they halve through a filter, and take in
/// the network's input at each size, a progressive input.
public struct DownBlock: Module {
  /// What halves the picture.
  enum Halving: Sendable {
    case convolution(Downsample)
    case residual(ResidualBlock)
    /// `picture` makes features of the network's input at half the size, which are added.
    case skip(ResidualBlock, picture: Convolution)
  }

  var attentions: [Attention] = []
  var residuals: [ResidualBlock] = []
  var halving: Halving?

  /// A block with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - layers: how many residual blocks.
  ///   - headWidth: channels of an attention head, where the kind has attention.
  ///   - downsampling: what halves the picture; `nil` for nothing. Skip blocks do it by a residual block.
  ///   - padding: of the convolution that halves.
  ///   - pictureChannels: channels of the network's input, which skip blocks take in.
  ///   - style: as given, but for skip blocks, which have their own groups and output scale.
  public init(
    _ kind: DownBlockKind, inputs: Int, outputs: Int, layers: Int, headWidth: Int,
    downsampling: ResamplingKind?, padding: Int = 1, pictureChannels: Int = 3,
    style: ResidualBlock.Style, initializer: inout ParameterInitializer
  ) {
    let style = kind.isSkip ? style.progressive : style
    for layer in 0..<layers {
      residuals.append(
        ResidualBlock(
          inputs: layer == 0 ? inputs : outputs, outputs: outputs, style: style,
          initializer: &initializer))
      if kind.hasAttention {
        attentions.append(
          Attention(channels: outputs, headWidth: headWidth, style: style, &initializer))
      }
    }
    switch downsampling {
    case nil: halving = nil
    case .convolution:
      halving = .convolution(
        Downsample(channels: outputs, padding: padding, initializer: &initializer))
    case .residual:
      let residual = ResidualBlock(
        inputs: outputs, outputs: outputs, style: style,
        resampling: kind.isSkip ? .filteredDown : .down, hasShortcut: kind.isSkip ? true : nil,
        initializer: &initializer)
      halving =
        kind.isSkip
        ? .skip(
          residual,
          picture: Convolution(
            inputs: pictureChannels, outputs: outputs, kernel: 1, initializer: &initializer))
        : .residual(residual)
    }
  }

  /// The block applied to `x [batch, height, width, inputs]`: what every layer gave, the last one's first of all to be
  /// worked on; all of them go to the block of the same level on the way up.
  ///
  /// - Parameters:
  ///   - picture: the network's input at this level's size, halved by skip blocks; other blocks leave it alone.
  ///   - time: the activated time embedding.
  public func callAsFunction(
    _ x: Tensor, picture: inout Tensor, time: Tensor?, mode: ExecutionMode = .inference
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
    case .skip(let residual, let features):
      picture = picture.halvedBinomially()
      let halved = residual(hidden, time: time, mode: mode.part(residuals.count))
      results.append(halved + features(picture))
    case nil: break
    }
    return results
  }

  /// `attentions`, `resnets`, `downsamplers`; in skip blocks `resnet_down` and `skip_conv` in their place.
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
    case .skip(var residual, var features):
      defer { halving = .skip(residual, picture: features) }
      try list.module("resnet_down", &residual)
      try list.module("skip_conv", &features)
    case nil: break
    }
  }
}
