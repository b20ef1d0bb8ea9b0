import TensorLayers

/// The structure of one of CLIP's two encoders: the keys and defaults of transformers' `CLIPTextConfig` and
/// `CLIPVisionConfig` (their config.json).
public struct CLIPConfiguration: Sendable, Hashable, Codable {
  /// Channels of a token.
  public var width = 512
  /// Channels between the two layers of a perceptron.
  public var innerWidth = 2048
  /// Layers.
  public var layers = 12
  /// Heads of attention.
  public var heads = 8
  /// The activation of perceptrons: `quick_gelu` for OpenAI's weights, `gelu` for OpenCLIP's.
  public var activation = CLIPActivation.quickGELU
  /// Added to the variance in every layer norm.
  public var epsilon = 1e-5
  /// Width of the space that texts and pictures share.
  public var projectionWidth = 512

  /// Tokens in the vocabulary (text).
  public var vocabularySize = 49408
  /// Tokens of a text at most (text).
  public var mostTokens = 77
  /// The token that ends a text. 2 stands for the largest of a text, as configurations before transformers 4.31 have it.
  public var endToken = 49407

  /// Side of a picture (vision).
  public var imageSize = 224
  /// Side of a patch (vision).
  public var patchSize = 32
  /// Channels of a picture (vision).
  public var channels = 3

  enum CodingKeys: String, CodingKey, CaseIterable {
    case width = "hidden_size"
    case innerWidth = "intermediate_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case activation = "hidden_act"
    case epsilon = "layer_norm_eps"
    case projectionWidth = "projection_dim"
    case vocabularySize = "vocab_size"
    case mostTokens = "max_position_embeddings"
    case endToken = "eos_token_id"
    case imageSize = "image_size"
    case patchSize = "patch_size"
    case channels = "num_channels"
  }

  /// The defaults of transformers' text encoder.
  public init() {}

  /// Reads the keys that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try values.read(.width, &width)
    try values.read(.innerWidth, &innerWidth)
    try values.read(.layers, &layers)
    try values.read(.heads, &heads)
    try values.read(.activation, &activation)
    try values.read(.epsilon, &epsilon)
    try values.read(.projectionWidth, &projectionWidth)
    try values.read(.vocabularySize, &vocabularySize)
    try values.read(.mostTokens, &mostTokens)
    try values.read(.endToken, &endToken)
    try values.read(.imageSize, &imageSize)
    try values.read(.patchSize, &patchSize)
    try values.read(.channels, &channels)
  }
}

/// The activations of CLIP's perceptrons.
public enum CLIPActivation: String, Sendable, Codable, CaseIterable {
  /// `x sigmoid(1.702 x)`.
  case quickGELU = "quick_gelu"
  /// `x Phi(x)`.
  case gelu
}

extension CLIPConfiguration {
  /// Every key that is read, and those that only training or the tokenizer looks at.
  public static let keys =
    CodingKeys.allCases.map(\.rawValue) + [
      "attention_dropout", "dropout", "initializer_factor", "initializer_range", "bos_token_id",
      "pad_token_id", "transformers_version", "use_cache", "return_dict",
    ]
}
