import TensorCore
import TensorLayers

/// The U-Net over pixels of "Denoising Diffusion Probabilistic Models" (appendix B), with the structure, the configuration
/// and the parameter names of diffusers' `UNet2DModel`.
///
/// ```swift
/// let network = try UNet(configuration, seed: 0)
/// let estimate = network(noisy, timesteps: [500, 500])
/// ```
public struct UNet: Module {
  /// What it was made from.
  public let configuration: UNetConfiguration
  var inputConvolution: Convolution
  var timeProjection: TimeProjection
  var timeEmbedding: TimestepEmbedding
  var classTable: Embedding?
  var classEmbedding: TimestepEmbedding?
  var downBlocks: [DownBlock] = []
  var upBlocks: [UpBlock] = []
  var midBlock: MidBlock?
  var outputNorm: GroupNorm
  var outputConvolution: Convolution

  /// A network with PyTorch's initialisation: the weights of `UNet2DModel(...)` after `torch.manual_seed(seed)`.
  ///
  /// - Throws: ``ModelError`` where the configuration's values do not go together.
  public init(_ configuration: UNetConfiguration, seed: UInt64) throws(ModelError) {
    var initializer = ParameterInitializer(seed: seed)
    try self.init(configuration, initializer: &initializer)
  }

  /// A network whose parameters come from `initializer`.
  ///
  /// - Throws: ``ModelError`` where the configuration's values do not go together.
  public init(
    _ configuration: UNetConfiguration, initializer: inout ParameterInitializer
  ) throws(ModelError) {
    try configuration.validate()
    self.configuration = configuration
    let channels = configuration.blockOutChannels
    let width = configuration.timeEmbeddingWidth
    inputConvolution = Convolution(
      inputs: configuration.inChannels, outputs: channels[0], kernel: 3, padding: 1,
      initializer: &initializer)
    timeProjection = TimeProjection(configuration, initializer: &initializer)
    timeEmbedding = TimestepEmbedding(
      inputs: timeProjection.width, width: width, initializer: &initializer)
    if configuration.classEmbedType == .timestep {
      classEmbedding = TimestepEmbedding(
        inputs: timeProjection.width, width: width, initializer: &initializer)
    } else if configuration.classEmbedType == nil, let count = configuration.numClassEmbeds {
      classTable = Embedding(count: count, width: width, initializer: &initializer)
    }
    downBlocks = Self.downBlocks(configuration, &initializer)
    midBlock = Self.midBlock(configuration, &initializer)
    upBlocks = Self.upBlocks(configuration, &initializer)
    outputNorm = GroupNorm(
      channels: channels[0], groups: configuration.residualStyle.groups(of: channels[0]),
      epsilon: configuration.normEps, initializer: &initializer)
    outputConvolution = Convolution(
      inputs: channels[0], outputs: configuration.outChannels, kernel: 3, padding: 1,
      initializer: &initializer)
  }

  /// The parameters, under the names of diffusers' checkpoint.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("conv_in", &inputConvolution)
    try list.module("time_proj", &timeProjection)
    try list.module("time_embedding", &timeEmbedding)
    try list.module("class_embedding", &classTable)
    try list.module("class_embedding", &classEmbedding)
    try list.modules("down_blocks", &downBlocks)
    try list.modules("up_blocks", &upBlocks)
    try list.module("mid_block", &midBlock)
    try list.module("conv_norm_out", &outputNorm)
    try list.module("conv_out", &outputConvolution)
  }
}

// MARK: - Construction

extension UNet {
  private static func downBlocks(
    _ configuration: UNetConfiguration, _ initializer: inout ParameterInitializer
  ) -> [DownBlock] {
    let channels = configuration.blockOutChannels
    return configuration.downBlockTypes.enumerated().map { level, kind in
      let downsampling: ResamplingKind? =
        switch kind {
        case .plain: .convolution
        case .attention: configuration.downsampleType
        case .residual, .skip, .attentionSkip: .residual
        }
      return DownBlock(
        kind, inputs: channels[max(0, level - 1)], outputs: channels[level],
        layers: configuration.layersPerBlock, headWidth: configuration.headWidth(channels[level]),
        downsampling: level == channels.count - 1 ? nil : downsampling,
        padding: configuration.downsamplePadding, pictureChannels: configuration.inChannels,
        style: configuration.residualStyle, initializer: &initializer)
    }
  }

  private static func midBlock(
    _ configuration: UNetConfiguration, _ initializer: inout ParameterInitializer
  ) -> MidBlock? {
    guard configuration.midBlockType != nil else { return nil }
    let channels = configuration.blockOutChannels[configuration.blockOutChannels.count - 1]
    var style = configuration.residualStyle
    style.outputScale = configuration.midBlockScaleFactor
    let groups =
      configuration.attnNormNumGroups
      ?? (configuration.resnetTimeScaleShift == .shift ? style.groups(of: channels) : nil)
    return MidBlock(
      channels: channels,
      headWidth: configuration.addAttention ? configuration.headWidth(channels) : nil,
      attentionGroups: groups, style: style, initializer: &initializer)
  }

  private static func upBlocks(
    _ configuration: UNetConfiguration, _ initializer: inout ParameterInitializer
  ) -> [UpBlock] {
    let channels = Array(configuration.blockOutChannels.reversed())
    return configuration.upBlockTypes.enumerated().map { level, kind in
      let upsampling: ResamplingKind? =
        switch kind {
        case .plain: .convolution
        case .attention: configuration.upsampleType
        case .residual, .skip, .attentionSkip: .residual
        }
      return UpBlock(
        kind, inputs: channels[min(level + 1, channels.count - 1)],
        previous: channels[max(0, level - 1)], outputs: channels[level],
        layers: configuration.layersPerBlock + 1,
        headWidth: configuration.headWidth(channels[level]),
        upsampling: level == channels.count - 1 ? nil : upsampling,
        pictureChannels: configuration.outChannels, style: configuration.residualStyle,
        initializer: &initializer)
    }
  }
}

extension UNetConfiguration {
  /// What its residual blocks have in common.
  var residualStyle: ResidualBlock.Style {
    ResidualBlock.Style(
      timeWidth: timeEmbeddingWidth, groups: normNumGroups, epsilon: normEps, activation: actFn,
      timeConditioning: resnetTimeScaleShift, dropout: dropout)
  }
}
