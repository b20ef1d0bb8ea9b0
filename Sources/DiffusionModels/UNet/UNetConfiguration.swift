import TensorLayers

/// The structure of a ``UNet``: the keys, values and defaults of diffusers' `UNet2DModel` (its config.json).
///
/// A key that is missing takes the default that its property shows. ``init(json:)`` also says which keys it does not
/// know.
public struct UNetConfiguration: Sendable, Hashable {
  /// The side (or height and width) of the pictures it was trained on; the network itself takes any that halves often enough.
  public var sampleSize: [Int]?
  /// Channels of the input.
  public var inChannels = 3
  /// Channels of the output.
  public var outChannels = 3
  /// Whether the input is in 0...1 and is first brought to -1...1.
  public var centerInputSample = false
  /// How a timestep becomes a vector.
  public var timeEmbeddingType = TimeEmbeddingKind.positional
  /// Width of the time embedding; `nil` for four times the first block's channels.
  public var timeEmbeddingDim: Int?
  /// What is taken from the count of frequencies in the positional embedding's exponent.
  public var freqShift = 0.0
  /// Whether cosines come before sines.
  public var flipSinToCos = true
  /// The blocks on the way down.
  public var downBlockTypes: [DownBlockKind] = [.plain, .attention, .attention, .attention]
  /// Whether there is a block in the middle.
  public var midBlockType: MidBlockKind? = .plain
  /// The blocks on the way up.
  public var upBlockTypes: [UpBlockKind] = [.attention, .attention, .attention, .plain]
  /// Channels of each level, outermost first.
  public var blockOutChannels = [224, 448, 672, 896]
  /// Residual blocks of each level on the way down; one more on the way up.
  public var layersPerBlock = 2
  /// What the middle block's sums are divided by.
  public var midBlockScaleFactor = 1.0
  /// Zeros around the picture where a convolution halves it; 0 pads below and to the right alone.
  public var downsamplePadding = 1
  /// How blocks with attention halve the picture.
  public var downsampleType = ResamplingKind.convolution
  /// How blocks with attention double the picture.
  public var upsampleType = ResamplingKind.convolution
  /// Share of the elements that residual blocks drop in training.
  public var dropout = 0.0
  /// The activation of residual blocks.
  public var actFn = Activation.silu
  /// Channels of an attention head; `nil` for one head of all channels.
  public var attentionHeadDim: Int? = 8
  /// Groups of every group norm but those of skip blocks; `nil` for groups of 4 channels, no more than 32 of them, as
  /// skip blocks have them.
  public var normNumGroups: Int? = 32
  /// Groups of the norm before the middle block's attention; `nil` for `normNumGroups`, and none at all where
  /// `resnetTimeScaleShift` is `scaleShift`.
  public var attnNormNumGroups: Int?
  /// Added to the variance in every group norm.
  public var normEps = 1e-5
  /// How a residual block takes in the time.
  public var resnetTimeScaleShift = TimeConditioningKind.shift
  /// Whether the middle block has attention.
  public var addAttention = true
  /// What classes are given as, where not as numbers of a table.
  public var classEmbedType: ClassEmbeddingKind?
  /// Classes in the table, where there is one.
  public var numClassEmbeds: Int?
  /// Timesteps in the table of a learned time embedding.
  public var numTrainTimesteps: Int?

  /// diffusers' defaults.
  public init() {}

  /// The width of the time embedding.
  public var timeEmbeddingWidth: Int {
    timeEmbeddingDim ?? (blockOutChannels.first ?? 0) * 4
  }

  /// Channels of a head at a level of `channels`.
  func headWidth(_ channels: Int) -> Int { attentionHeadDim ?? channels }
}

/// How a timestep becomes a vector.
public enum TimeEmbeddingKind: String, Sendable, Codable, CaseIterable {
  /// Sines and cosines of fixed frequencies ("Attention Is All You Need", section 3.5).
  case positional
  /// Sines and cosines of random frequencies of the logarithm (Tancik et al., 2020).
  case fourier
  /// A table.
  case learned
}

/// How a residual block takes in the time.
public enum TimeConditioningKind: String, Sendable, Codable, CaseIterable {
  /// Adds a projection of it before the second norm.
  case shift = "default"
  /// Scales and shifts what comes from the second norm.
  case scaleShift = "scale_shift"
}

/// What classes are given as.
public enum ClassEmbeddingKind: String, Sendable, Codable, CaseIterable {
  /// Numbers, embedded as timesteps are.
  case timestep
  /// Vectors of the time embedding's width, added as they are.
  case identity
}

/// How a block halves or doubles the picture.
public enum ResamplingKind: String, Sendable, Codable, CaseIterable {
  /// By a convolution.
  case convolution = "conv"
  /// By a residual block.
  case residual = "resnet"
}

/// The blocks on the way down.
public enum DownBlockKind: String, Sendable, Codable, CaseIterable {
  /// Residual blocks, then a convolution of stride 2.
  case plain = "DownBlock2D"
  /// The same with attention behind each residual block.
  case attention = "AttnDownBlock2D"
  /// Residual blocks, the last of which halves the picture.
  case residual = "ResnetDownsampleBlock2D"
  /// Residual blocks, the last of which halves the picture through a filter and takes in the network's input at half the
  /// size (NCSN++).
  case skip = "SkipDownBlock2D"
  /// The same with attention behind each residual block.
  case attentionSkip = "AttnSkipDownBlock2D"

  var isSkip: Bool { self == .skip || self == .attentionSkip }
  var hasAttention: Bool { self == .attention || self == .attentionSkip }
}

/// The block in the middle.
public enum MidBlockKind: String, Sendable, Codable, CaseIterable {
  /// Two residual blocks with attention between.
  case plain = "UNetMidBlock2D"
}

/// The blocks on the way up.
public enum UpBlockKind: String, Sendable, Codable, CaseIterable {
  /// Residual blocks, then nearest-neighbour doubling and a convolution.
  case plain = "UpBlock2D"
  /// The same with attention behind each residual block.
  case attention = "AttnUpBlock2D"
  /// Residual blocks, the last of which doubles the picture.
  case residual = "ResnetUpsampleBlock2D"
  /// Residual blocks, the last of which doubles the picture through a filter, beside a picture that each level adds to and
  /// doubles (NCSN++).
  case skip = "SkipUpBlock2D"
  /// The same with attention before the last.
  case attentionSkip = "AttnSkipUpBlock2D"

  var isSkip: Bool { self == .skip || self == .attentionSkip }
  var hasAttention: Bool { self == .attention || self == .attentionSkip }

  /// The groups of the first norm of a residual block that takes in `skip` channels beside `hidden` ones, where they are
  /// not the style's: the reference forgets a pair of brackets in the one block, and trained networks have it so.
  func inputGroups(hidden: Int, skip: Int) -> Int? {
    self == .attentionSkip ? min(hidden + skip / 4, 32) : nil
  }
}
