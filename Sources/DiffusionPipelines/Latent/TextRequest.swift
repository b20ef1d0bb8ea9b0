/// What pictures are asked of a ``LatentPipeline``.
public struct TextRequest: Sendable, Hashable, Codable {
  /// What the pictures are to show; words may have weights, see `WeightedPrompt`.
  public var prompt: String
  /// What they are not to show.
  public var negative: String
  /// Height in pixels, a multiple of the autoencoder's reduction; `nil` for the model's usual.
  public var height: Int?
  /// Width in pixels.
  public var width: Int?
  /// How many of the text encoder's last layers are left out; `nil` for what the model was trained with.
  public var skippedLayers: Int?
  /// How many pictures, their seeds, and how they are sampled; classes are not looked at.
  public var pictures: ImageRequest

  /// A request.
  public init(
    prompt: String, negative: String = "", height: Int? = nil, width: Int? = nil,
    skippedLayers: Int? = nil, pictures: ImageRequest
  ) {
    self.prompt = prompt
    self.negative = negative
    self.height = height
    self.width = width
    self.skippedLayers = skippedLayers
    self.pictures = pictures
  }
}
