import TensorLayers

/// The structure of a ``KLAutoencoder`` or a ``VQAutoencoder``: the keys and defaults of diffusers' `AutoencoderKL` and
/// `VQModel` (their config.json).
public struct AutoencoderConfiguration: Sendable, Hashable, Codable {
  /// Channels of a picture.
  public var inChannels = 3
  /// Channels of what is decoded.
  public var outChannels = 3
  /// Channels of each level, outermost first; the picture is halved between levels.
  public var blockOutChannels = [64]
  /// Residual blocks of each level of the encoder; one more in the decoder.
  public var layersPerBlock = 1
  /// The activation.
  public var activation = Activation.silu
  /// Channels of a latent.
  public var latentChannels = 4
  /// Groups of every group norm.
  public var normGroups = 32
  /// Side of the pictures it was trained on; tiles have this size.
  public var sampleSize = 32
  /// What latents are multiplied by for a diffusion model, after ``shiftFactor`` was taken away: the reciprocal of their
  /// standard deviation. 0.18215 for Stable Diffusion (Rombach et al. 2022, appendix G), 0.13025 for SDXL.
  public var scalingFactor = 0.18215
  /// What is taken away from latents for a diffusion model.
  public var shiftFactor = 0.0
  /// Whether a 1x1 convolution stands behind the encoder.
  public var hasQuantConvolution = true
  /// Whether a 1x1 convolution stands before the decoder.
  public var hasPostQuantConvolution = true
  /// Whether the middle blocks have attention.
  public var hasMiddleAttention = true
  /// Vectors in the codebook of a ``VQAutoencoder``.
  public var codebookSize = 256
  /// Channels of a vector of the codebook; `nil` for the latent's.
  public var codeWidth: Int?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case activation = "act_fn"
    case latentChannels = "latent_channels"
    case normGroups = "norm_num_groups"
    case sampleSize = "sample_size"
    case scalingFactor = "scaling_factor"
    case shiftFactor = "shift_factor"
    case hasQuantConvolution = "use_quant_conv"
    case hasPostQuantConvolution = "use_post_quant_conv"
    case hasMiddleAttention = "mid_block_add_attention"
    case codebookSize = "num_vq_embeddings"
    case codeWidth = "vq_embed_dim"
  }

  /// diffusers' defaults.
  public init() {}

  /// Reads the keys that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try values.read(.inChannels, &inChannels)
    try values.read(.outChannels, &outChannels)
    try values.read(.blockOutChannels, &blockOutChannels)
    try values.read(.layersPerBlock, &layersPerBlock)
    try values.read(.activation, &activation)
    try values.read(.latentChannels, &latentChannels)
    try values.read(.normGroups, &normGroups)
    try values.read(.sampleSize, &sampleSize)
    try values.read(.scalingFactor, &scalingFactor)
    try values.read(.shiftFactor, &shiftFactor)
    try values.read(.hasQuantConvolution, &hasQuantConvolution)
    try values.read(.hasPostQuantConvolution, &hasPostQuantConvolution)
    try values.read(.hasMiddleAttention, &hasMiddleAttention)
    try values.read(.codebookSize, &codebookSize)
    try values.readOptional(.codeWidth, &codeWidth)
  }

  /// How many pixels of a picture a latent's pixel stands for, along one side.
  public var reduction: Int { 1 << (blockOutChannels.count - 1) }

  /// Stable Diffusion's.
  public static let stableDiffusion: Self = {
    var configuration = Self()
    configuration.blockOutChannels = [128, 256, 512, 512]
    configuration.layersPerBlock = 2
    configuration.sampleSize = 512
    return configuration
  }()

  /// What the residual blocks of encoder and decoder have in common.
  var style: ResidualBlock.Style {
    ResidualBlock.Style(timeWidth: nil, groups: normGroups, epsilon: 1e-6, activation: activation)
  }
}

extension AutoencoderConfiguration {
  /// Every key that is read, and those that say what is so anyway.
  public static let keys =
    CodingKeys.allCases.map(\.rawValue) + [
      "down_block_types", "up_block_types", "force_upcast", "latents_mean", "latents_std",
      "norm_type", "lookup_from_codebook",
    ]
}
