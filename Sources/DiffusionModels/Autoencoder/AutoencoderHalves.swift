import TensorCore
import TensorLayers

/// Residual blocks of one level and what changes the picture's size behind them, where it does: diffusers'
/// `DownEncoderBlock2D` and `UpDecoderBlock2D`.
struct AutoencoderLevel: Module {
  private var residuals: [ResidualBlock] = []
  private var downsample: Downsample?
  private var upsample: Upsample?

  enum Resizing { case none, halving, doubling }

  init(
    inputs: Int, outputs: Int, layers: Int, resizing: Resizing, style: ResidualBlock.Style,
    _ initializer: inout ParameterInitializer
  ) {
    for layer in 0..<layers {
      residuals.append(
        ResidualBlock(
          inputs: layer == 0 ? inputs : outputs, outputs: outputs, style: style,
          initializer: &initializer))
    }
    switch resizing {
    case .none: break
    case .halving:
      downsample = Downsample(channels: outputs, padding: 0, initializer: &initializer)
    case .doubling: upsample = Upsample(channels: outputs, initializer: &initializer)
    }
  }

  func callAsFunction(_ x: Tensor, mode: ExecutionMode) -> Tensor {
    var hidden = x
    for (layer, residual) in residuals.enumerated() {
      hidden = residual(hidden, time: nil, mode: mode.part(layer))
    }
    return upsample.map { $0(hidden) } ?? downsample.map { $0(hidden) } ?? hidden
  }

  /// `resnets`, `downsamplers.0`, `upsamplers.0`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("resnets", &residuals)
    try list.module("downsamplers.0", &downsample)
    try list.module("upsamplers.0", &upsample)
  }
}

/// Picture to features of a latent: diffusers' `Encoder`.
struct AutoencoderEncoder: Module {
  private var input: Convolution
  private var levels: [AutoencoderLevel] = []
  private var middle: MidBlock
  private var norm: GroupNorm
  private var output: Convolution
  private let activation: Activation

  /// - Parameter outputs: channels of the features: twice the latent's for a mean and a variance.
  init(
    _ configuration: AutoencoderConfiguration, outputs: Int,
    _ initializer: inout ParameterInitializer
  ) {
    let channels = configuration.blockOutChannels
    let last = channels[channels.count - 1]
    let style = configuration.style
    activation = configuration.activation
    input = Convolution(
      inputs: configuration.inChannels, outputs: channels[0], kernel: 3, padding: 1,
      initializer: &initializer)
    for (level, width) in channels.enumerated() {
      levels.append(
        AutoencoderLevel(
          inputs: channels[max(0, level - 1)], outputs: width,
          layers: configuration.layersPerBlock,
          resizing: level == channels.count - 1 ? .none : .halving, style: style, &initializer))
    }
    middle = configuration.middle(last, &initializer)
    norm = GroupNorm(
      channels: last, groups: configuration.normGroups, epsilon: 1e-6, initializer: &initializer)
    output = Convolution(
      inputs: last, outputs: outputs, kernel: 3, padding: 1, initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor, mode: ExecutionMode) -> Tensor {
    var hidden = input(x)
    for (index, level) in levels.enumerated() { hidden = level(hidden, mode: mode.part(index)) }
    hidden = middle(hidden, time: nil, mode: mode.part(levels.count))
    return output(norm(hidden, then: activation))
  }

  /// `conv_in`, `down_blocks`, `mid_block`, `conv_norm_out`, `conv_out`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("conv_in", &input)
    try list.modules("down_blocks", &levels)
    try list.module("mid_block", &middle)
    try list.module("conv_norm_out", &norm)
    try list.module("conv_out", &output)
  }
}

/// Latent to picture: diffusers' `Decoder`.
struct AutoencoderDecoder: Module {
  private var input: Convolution
  private var levels: [AutoencoderLevel] = []
  private var middle: MidBlock
  private var norm: GroupNorm
  private var output: Convolution
  private let activation: Activation

  init(_ configuration: AutoencoderConfiguration, _ initializer: inout ParameterInitializer) {
    let channels = Array(configuration.blockOutChannels.reversed())
    let style = configuration.style
    activation = configuration.activation
    input = Convolution(
      inputs: configuration.latentChannels, outputs: channels[0], kernel: 3, padding: 1,
      initializer: &initializer)
    middle = configuration.middle(channels[0], &initializer)
    for (level, width) in channels.enumerated() {
      levels.append(
        AutoencoderLevel(
          inputs: channels[max(0, level - 1)], outputs: width,
          layers: configuration.layersPerBlock + 1,
          resizing: level == channels.count - 1 ? .none : .doubling, style: style, &initializer))
    }
    let last = channels[channels.count - 1]
    norm = GroupNorm(
      channels: last, groups: configuration.normGroups, epsilon: 1e-6, initializer: &initializer)
    output = Convolution(
      inputs: last, outputs: configuration.outChannels, kernel: 3, padding: 1,
      initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor, mode: ExecutionMode) -> Tensor {
    var hidden = middle(input(x), time: nil, mode: mode.part(levels.count))
    for (index, level) in levels.enumerated() { hidden = level(hidden, mode: mode.part(index)) }
    return output(norm(hidden, then: activation))
  }

  /// `conv_in`, `up_blocks`, `mid_block`, `conv_norm_out`, `conv_out`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("conv_in", &input)
    try list.modules("up_blocks", &levels)
    try list.module("mid_block", &middle)
    try list.module("conv_norm_out", &norm)
    try list.module("conv_out", &output)
  }
}

extension AutoencoderConfiguration {
  /// Two residual blocks with one head of attention between.
  fileprivate func middle(
    _ channels: Int, _ initializer: inout ParameterInitializer
  ) -> MidBlock {
    MidBlock(
      channels: channels, headWidth: hasMiddleAttention ? channels : nil,
      attentionGroups: normGroups, style: style, initializer: &initializer)
  }
}
