import TensorLayers

/// The structure of a ``TinyAutoencoder``: the keys and defaults of diffusers' `AutoencoderTiny` (its config.json).
public struct TinyAutoencoderConfiguration: Sendable, Hashable, Codable {
  /// Channels of a picture.
  public var inChannels = 3
  /// Channels of what is decoded.
  public var outChannels = 3
  /// Channels of each level of the encoder, outermost first.
  public var encoderChannels = [64, 64, 64, 64]
  /// Channels of each level of the decoder, innermost first.
  public var decoderChannels = [64, 64, 64, 64]
  /// Channels of a latent: 4 for Stable Diffusion and SDXL, 16 for SD3 and FLUX, 32 for FLUX.2.
  public var latentChannels = 4
  /// Blocks of each level of the encoder.
  public var encoderBlocks = [1, 3, 3, 3]
  /// Blocks of each level of the decoder.
  public var decoderBlocks = [3, 3, 3, 1]
  /// The activation.
  public var activation = Activation.relu
  /// What latents are multiplied by for a diffusion model, after ``shiftFactor`` was taken away.
  public var scalingFactor = 1.0
  /// What is taken away from latents for a diffusion model.
  public var shiftFactor = 0.0
  /// Whether the innermost level's blocks mix channels through a pooled path of group norms (TAEF2).
  public var hasPooledBlocks = false

  enum CodingKeys: String, CodingKey, CaseIterable {
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case encoderChannels = "encoder_block_out_channels"
    case decoderChannels = "decoder_block_out_channels"
    case latentChannels = "latent_channels"
    case encoderBlocks = "num_encoder_blocks"
    case decoderBlocks = "num_decoder_blocks"
    case activation = "act_fn"
    case scalingFactor = "scaling_factor"
    case shiftFactor = "shift_factor"
    case hasPooledBlocks = "pooled_blocks"
  }

  /// TAESD's structure.
  public init() {}

  /// TAEF2's structure: 32 latent channels, pooled blocks in the innermost level.
  public static let taef2: Self = {
    var configuration = Self()
    configuration.latentChannels = 32
    configuration.hasPooledBlocks = true
    return configuration
  }()

  /// Reads the keys that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try values.read(.inChannels, &inChannels)
    try values.read(.outChannels, &outChannels)
    try values.read(.encoderChannels, &encoderChannels)
    try values.read(.decoderChannels, &decoderChannels)
    try values.read(.latentChannels, &latentChannels)
    try values.read(.encoderBlocks, &encoderBlocks)
    try values.read(.decoderBlocks, &decoderBlocks)
    try values.read(.activation, &activation)
    try values.read(.scalingFactor, &scalingFactor)
    try values.read(.shiftFactor, &shiftFactor)
    try values.read(.hasPooledBlocks, &hasPooledBlocks)
  }
}
