import TensorCore
import TensorLayers

/// diffusers' `UpBlock2D`, `AttnUpBlock2D`, `ResnetUpsampleBlock2D`, `SkipUpBlock2D` and `AttnSkipUpBlock2D`: residual
/// blocks that each take in one result of the way down, each with attention behind it or none (in `AttnSkipUpBlock2D`
/// the last alone has it), then what doubles the picture (at all levels but the outermost). The skip blocks are NCSN++'s
/// (Song et al. 2021, appendix H.2): they double through a filter, and each adds to a picture that grows with them, a
/// progressive output.
public struct UpBlock: Module {
  /// What doubles the picture.
  enum Doubling: Sendable {
    case convolution(Upsample)
    case residual(ResidualBlock)
    case skip(ResidualBlock, norm: GroupNorm, picture: Convolution)
  }

  var attentions: [Attention] = []
  var residuals: [ResidualBlock] = []
  var doubling: Doubling?
  private let isSkip: Bool

  /// A block with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - inputs: channels of the last result that is taken in: those of the level below on the way down.
  ///   - previous: channels of what comes from the block before.
  ///   - layers: how many residual blocks.
  ///   - headWidth: channels of an attention head, where the kind has attention.
  ///   - upsampling: what doubles the picture; `nil` for nothing. Skip blocks do it by a residual block.
  ///   - pictureChannels: channels of the network's output, which skip blocks add to.
  ///   - style: as given, but for skip blocks, which have their own groups and output scale.
  public init(
    _ kind: UpBlockKind, inputs: Int, previous: Int, outputs: Int, layers: Int, headWidth: Int,
    upsampling: ResamplingKind?, pictureChannels: Int = 3, style: ResidualBlock.Style,
    initializer: inout ParameterInitializer
  ) {
    isSkip = kind.isSkip
    let style = isSkip ? style.progressive : style
    for layer in 0..<layers {
      let hidden = layer == 0 ? previous : outputs
      let skip = layer == layers - 1 ? inputs : outputs
      residuals.append(
        ResidualBlock(
          inputs: hidden + skip, outputs: outputs, style: style,
          inputGroups: kind.inputGroups(hidden: hidden, skip: skip), initializer: &initializer))
      if kind == .attention || (kind == .attentionSkip && layer == layers - 1) {
        attentions.append(
          Attention(channels: outputs, headWidth: headWidth, style: style, &initializer))
      }
    }
    switch upsampling {
    case nil: doubling = nil
    case .convolution:
      doubling = .convolution(Upsample(channels: outputs, initializer: &initializer))
    case .residual where isSkip:
      doubling = Self.skip(outputs, pictureChannels, style, &initializer)
    case .residual:
      doubling = .residual(
        ResidualBlock(
          inputs: outputs, outputs: outputs, style: style, resampling: .up,
          initializer: &initializer))
    }
  }

  private static func skip(
    _ channels: Int, _ pictureChannels: Int, _ style: ResidualBlock.Style,
    _ initializer: inout ParameterInitializer
  ) -> Doubling {
    let residual = ResidualBlock(
      inputs: channels, outputs: channels, style: style, resampling: .filteredUp,
      hasShortcut: true, initializer: &initializer)
    let picture = Convolution(
      inputs: channels, outputs: pictureChannels, kernel: 3, padding: 1, initializer: &initializer)
    let norm = GroupNorm(
      channels: channels, groups: style.groups(of: channels), epsilon: style.epsilon,
      initializer: &initializer)
    return .skip(residual, norm: norm, picture: picture)
  }

  /// How many results of the way down it takes in.
  public var skipCount: Int { residuals.count }

  /// Some of the residual blocks with what stands behind them, one after the other.
  func part(
    _ layers: Range<Int>, _ x: Tensor, skips: inout [Tensor], time: Tensor?, mode: ExecutionMode
  ) -> Tensor {
    var hidden = x
    for layer in layers {
      hidden = residuals[layer](
        hidden, skip: skips.removeLast(), time: time, mode: mode.part(layer))
      let attention = layer - (residuals.count - attentions.count)
      if attention >= 0 { hidden = attentions[attention](hidden, mode: mode) }
    }
    return hidden
  }

  /// The block applied to `x [batch, height, width, previous]`.
  ///
  /// - Parameters:
  ///   - skips: results of the way down in the order in which they came; taken from the end, and removed.
  ///   - picture: what the skip blocks below made, at half this level's size, `nil` below the first; other blocks leave
  ///     it alone.
  ///   - time: the activated time embedding.
  public func callAsFunction(
    _ x: Tensor, skips: inout [Tensor], picture: inout Tensor?, time: Tensor?,
    mode: ExecutionMode = .inference
  ) -> Tensor {
    require(
      skips.count >= residuals.count, "UpBlock",
      "\(residuals.count) results of the way down are needed, got \(skips.count)")
    let hidden = part(0..<residuals.count, x, skips: &skips, time: time, mode: mode)
    if isSkip { picture = picture?.doubledBinomially() }
    switch doubling {
    case .convolution(let upsample): return upsample(hidden)
    case .residual(let residual):
      return residual(hidden, time: time, mode: mode.part(residuals.count))
    case .skip(let residual, let norm, let convolution):
      let part = convolution(norm(hidden, thenSiLU: true))
      picture = picture.map { $0 + part } ?? part
      return residual(hidden, time: time, mode: mode.part(residuals.count))
    case nil: return hidden
    }
  }

  /// `attentions`, `resnets`, `upsamplers`; in skip blocks `resnet_up`, `skip_conv` and `skip_norm` in their place.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("attentions", &attentions)
    try list.modules("resnets", &residuals)
    switch doubling.take() {
    case .convolution(var upsample):
      defer { doubling = .convolution(upsample) }
      try list.module("upsamplers.0", &upsample)
    case .residual(var residual):
      defer { doubling = .residual(residual) }
      try list.module("upsamplers.0", &residual)
    case .skip(var residual, var norm, var convolution):
      defer { doubling = .skip(residual, norm: norm, picture: convolution) }
      try list.module("resnet_up", &residual)
      try list.module("skip_conv", &convolution)
      try list.module("skip_norm", &norm)
    case nil: break
    }
  }
}
