/// What pictures are asked of a ``LatentPipeline``.
public struct TextRequest: Sendable, Hashable, Codable {
  /// What the pictures are to show; words may have weights, see `WeightedPrompt`.
  public var prompt: String
  /// What they are not to show.
  public var negative: String
  /// Height in pixels, a multiple of the autoencoder's reduction; `nil` for the model's usual, or that of the picture they are
  /// drawn from.
  public var height: Int?
  /// Width in pixels.
  public var width: Int?
  /// How many of the text encoder's last layers are left out; `nil` for what the model was trained with.
  public var skippedLayers: Int?
  /// How many pictures, their seeds, and how they are sampled; classes are not looked at.
  public var pictures: ImageRequest
  /// What mixes other noise into the pictures' own.
  public var variation: Variation?
  /// What the pictures, as frames of a film, lead to.
  public var ending: Ending?
  /// A second pass over the enlarged latents.
  public var refinement: Refinement?

  /// Another noise, mixed into the first by spherical interpolation: pictures that are alike.
  public struct Variation: Sendable, Hashable, Codable {
    /// The seed of the other noise of the first picture; picture `i` has `seed + i`. All share the request's own seed, as in
    /// AUTOMATIC1111's web UI.
    public var seed: UInt64
    /// From 0, the request's own noise, to 1, the other.
    public var strength: Double

    /// A variation.
    public init(seed: UInt64, strength: Double) {
      self.seed = seed
      self.strength = strength
    }
  }

  /// Where a film of pictures ends: its noise is interpolated spherically, its prompt's states linearly. Frame `i` of `n` is
  /// `i / (n - 1)` of the way.
  public struct Ending: Sendable, Hashable, Codable {
    /// The last frame's prompt; `nil` for the first one's.
    public var prompt: String?
    /// The last frame's seed; `nil` for the first one's.
    public var seed: UInt64?
    /// How far on the way all pictures are, from 0 to 1; `nil` for one after the other.
    public var at: Double?

    /// An end.
    public init(prompt: String? = nil, seed: UInt64? = nil, at: Double? = nil) {
      self.prompt = prompt
      self.seed = seed
      self.at = at
    }
  }

  /// What is drawn is enlarged as a latent, bilinearly, noised and denoised again, which adds detail that a network could not
  /// have laid out at that size.
  public struct Refinement: Sendable, Hashable, Codable {
    /// How many times larger, above 1.
    public var scale: Double
    /// The share of the noise, above 0 to 1.
    public var strength: Double
    /// The steps from noise to data, of which the share is made; `nil` for as many as the first pass has.
    public var steps: Int?

    /// A second pass.
    public init(scale: Double, strength: Double = 0.7, steps: Int? = nil) {
      self.scale = scale
      self.strength = strength
      self.steps = steps
    }
  }

  /// A request.
  public init(
    prompt: String, negative: String = "", height: Int? = nil, width: Int? = nil,
    skippedLayers: Int? = nil, pictures: ImageRequest, variation: Variation? = nil,
    ending: Ending? = nil, refinement: Refinement? = nil
  ) {
    self.prompt = prompt
    self.negative = negative
    self.height = height
    self.width = width
    self.skippedLayers = skippedLayers
    self.pictures = pictures
    self.variation = variation
    self.ending = ending
    self.refinement = refinement
  }

  /// The seed of picture `index`: all have the first's where they are variations of it or lead elsewhere.
  public func seed(of index: Int) -> UInt64 {
    variation == nil && ending == nil ? pictures.seed(of: index) : pictures.seed
  }

  /// How far on the way to ``ending`` a picture is, from 0 to 1.
  public func progress(of index: Int) -> Double {
    if let at = ending?.at { return at }
    return pictures.count < 2 ? 0 : Double(index) / Double(pictures.count - 1)
  }
}
