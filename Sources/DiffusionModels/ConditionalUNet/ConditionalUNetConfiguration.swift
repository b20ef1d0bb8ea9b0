import TensorLayers

/// The structure of a ``ConditionalUNet``: the keys, values and defaults of diffusers' `UNet2DConditionModel` (its
/// config.json).
public struct ConditionalUNetConfiguration: Sendable, Hashable {
  /// The side of the latents it was trained on; the network takes any.
  public var sampleSize: Int?
  /// Channels of the input: 4, 9 with a mask and a masked picture, 7 with a small picture to be enlarged.
  public var inChannels = 4
  /// Channels of the output.
  public var outChannels = 4
  /// Whether cosines come before sines in the time embedding.
  public var flipSinToCos = true
  /// What is taken from the count of frequencies in the time embedding's exponent.
  public var freqShift = 0.0
  /// Which levels on the way down look at the text.
  public var downBlocks: [ConditionalDownBlockKind] = [.cross, .cross, .cross, .plain]
  /// Which levels on the way up look at the text.
  public var upBlocks: [ConditionalUpBlockKind] = [.plain, .cross, .cross, .cross]
  /// The block in the middle, where there is one.
  public var midBlock: ConditionalMidBlockKind? = .cross
  /// Of each level on the way down: whether its transformers look at nothing but the text.
  public var onlyCrossAttention = [false, false, false, false]
  /// Channels of each level, outermost first.
  public var blockOutChannels = [320, 640, 1280, 1280]
  /// Residual blocks of each level on the way down; one more on the way up.
  public var layersPerBlock = [2, 2, 2, 2]
  /// Zeros around the picture where a convolution halves it.
  public var downsamplePadding = 1
  /// What the middle block's sums are divided by.
  public var midBlockScaleFactor = 1.0
  /// The activation of residual blocks.
  public var activation = Activation.silu
  /// Groups of every group norm.
  public var normGroups = 32
  /// Added to the variance in residual blocks' group norms.
  public var normEpsilon = 1e-5
  /// Channels of the text's tokens, of each level.
  public var crossAttentionWidths = [1280, 1280, 1280, 1280]
  /// Transformer blocks of each level.
  public var transformerDepths = [1, 1, 1, 1]
  /// Heads of attention of each level. (The key is `attention_head_dim` all the same: a mistake that diffusers kept.)
  public var heads = [8, 8, 8, 8]
  /// Whether transformers project by linear layers.
  public var usesLinearProjection = false
  /// How a residual block takes in the time.
  public var timeConditioning = TimeConditioningKind.shift
  /// What classes are given as, where not as numbers of a table.
  public var classEmbedding: ConditionalClassEmbeddingKind?
  /// Classes in the table, where there is one.
  public var classCount: Int?
  /// Width of the vectors that ``AdditionalEmbeddingKind/textTime`` or a class projection takes.
  public var projectionInputs: Int?
  /// What is added to the time embedding beside classes.
  public var additionalEmbedding: AdditionalEmbeddingKind?
  /// Channels of each number of the additional embedding.
  public var additionalTimeWidth: Int?
  /// Width of the guidance embedding of consistency-distilled models (Luo et al. 2023).
  public var guidanceWidth: Int?

  /// diffusers' defaults.
  public init() {}

  /// How many levels.
  var levels: Int { blockOutChannels.count }
  /// The width of the time embedding.
  var timeWidth: Int { 4 * blockOutChannels[0] }

  /// What its residual blocks have in common.
  var residualStyle: ResidualBlock.Style {
    ResidualBlock.Style(
      timeWidth: timeWidth, groups: normGroups, epsilon: normEpsilon, activation: activation,
      timeConditioning: timeConditioning)
  }

  /// What the transformers of a level have in common.
  func transformerStyle(level: Int, onlyCross: Bool) -> SpatialTransformer.Style {
    SpatialTransformer.Style(
      heads: heads[level], depth: transformerDepths[level], context: crossAttentionWidths[level],
      groups: normGroups, isLinear: usesLinearProjection, onlyCross: onlyCross)
  }
}

/// The blocks on the way down.
public enum ConditionalDownBlockKind: String, Sendable, Codable, CaseIterable {
  /// Residual blocks, each with a transformer behind it.
  case cross = "CrossAttnDownBlock2D"
  /// Residual blocks alone.
  case plain = "DownBlock2D"
}

/// The blocks on the way up.
public enum ConditionalUpBlockKind: String, Sendable, Codable, CaseIterable {
  /// Residual blocks, each with a transformer behind it.
  case cross = "CrossAttnUpBlock2D"
  /// Residual blocks alone.
  case plain = "UpBlock2D"
}

/// The block in the middle.
public enum ConditionalMidBlockKind: String, Sendable, Codable, CaseIterable {
  /// Two residual blocks with a transformer between.
  case cross = "UNetMidBlock2DCrossAttn"
}

/// What classes are given as.
public enum ConditionalClassEmbeddingKind: String, Sendable, Codable, CaseIterable {
  /// Numbers, embedded as timesteps are.
  case timestep
  /// Vectors that two layers project.
  case projection
}

/// What is added to the time embedding beside classes.
public enum AdditionalEmbeddingKind: String, Sendable, Codable, CaseIterable {
  /// SDXL's: a text's vector and six numbers of the picture's size (Podell et al. 2023, section 2.2).
  case textTime = "text_time"
}
