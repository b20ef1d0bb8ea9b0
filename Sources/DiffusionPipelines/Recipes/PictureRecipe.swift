import TensorCore

/// What it takes to draw a picture again: the options of `diffusion generate` under their names, as they stand in the PNG
/// text ``keyword``. What is absent has the model's or the command's default.
public struct PictureRecipe: Sendable, Hashable, Codable {
  /// The keyword of the PNG text.
  public static let keyword = "diffusion"

  /// The verb that drew it; `nil` for `generate`.
  public var verb: String?
  /// The engine's version.
  public var version: String?
  /// The model's path; `nil` for the one that comes with the engine, and where it is not known.
  public var model: String?
  /// Which of several files of parameters a folder's parts have.
  public var variant: String?
  /// A file of an autoencoder of its own.
  public var vae: String?
  /// Files of text encoders of their own.
  public var textEncoder: [String]?
  /// What the network's answer was taken for, where the model does not say.
  public var prediction: String?
  /// Files of adapters, each with a weight behind a colon where it is not 1.
  public var lora: [String]?
  /// Files of learned words.
  public var embedding: [String]?
  /// The folders of what the prompts name.
  public var loraDir: String?, embeddingDir: String?
  /// The type that the weights are computed in.
  public var precision: String?
  /// The side of the tiles, in latents, that the picture was decoded in; 0 for none where memory was to be saved.
  public var tile: Int?
  /// The class to show.
  public var `class`: Int?
  /// The text to show.
  public var prompt: String?
  /// The text not to show.
  public var negative: String?
  /// Width and height in pixels.
  public var width: Int?, height: Int?
  /// Which of the text encoder's layers is looked at, from the last.
  public var clipSkip: Int?
  /// The picture that was begun from.
  public var initImage: String?
  /// How much of it was painted anew.
  public var strength: Double?
  /// Where it was painted anew.
  public var mask: String?
  /// The mask's blur, and how much around the mask was drawn, where that was all.
  public var maskBlur: Double?, maskedArea: Int?
  /// Whether the picture outside of the mask went through the autoencoder.
  public var redrawOutside: Bool?
  /// How much larger the second pass is, and how much it painted anew.
  public var hires: Double?, hiresStrength: Double?
  /// The steps that the second pass has in all; `nil` for as many as the first.
  public var hiresSteps: Int?
  /// The seed whose noise was mixed in, and its share.
  public var variationSeed: UInt64?, variationStrength: Double?
  /// The timestep whose noise a picture got before it was enlarged.
  public var noiseLevel: Int?
  /// The room around a picture that was painted.
  public var left: Int?, right: Int?, top: Int?, bottom: Int?
  /// What the room was filled with, and how much of the picture beside it was painted too.
  public var fill: Outpainting.Fill?, overlap: Int?
  /// The text and the seed that a film leads to.
  public var toPrompt: String?, toSeed: UInt64?
  /// How far on the way of a film it is.
  public var at: Double?
  /// Steps of the sampler.
  public var steps: Int?
  /// The sampler.
  public var sampler: String?
  /// The schedule.
  public var schedule: String?
  /// The schedule's options.
  public var shift: Double?, rho: Double?, sigmaMin: Double?, sigmaMax: Double?
  /// How much noise the sampler puts in anew.
  public var eta: Double?
  /// The sampler's other options, as `key=value`.
  public var samplerOption: [String]?
  /// The scale of guidance.
  public var guidance: Double?
  /// Whether deep features of the step before served at every second evaluation.
  public var fast: Bool?
  /// The picture's own seed.
  public var seed: UInt64?
  /// Whose random numbers the seed stands for.
  public var rng: GeneratorKind?

  /// A recipe that says nothing.
  public init() {}

  /// The arguments of its ``verb`` that draw this picture, without `--out`.
  public var arguments: [String] {
    let texts: [(String, String?)] = [
      ("model", model), ("variant", variant), ("vae", vae), ("precision", precision),
      ("prediction", prediction),
      ("prompt", prompt), ("negative", negative), ("init-image", initImage), ("mask", mask),
      ("sampler", sampler), ("schedule", schedule), ("rng", rng?.rawValue),
      ("fill", fill?.rawValue), ("to-prompt", toPrompt), ("lora-dir", loraDir),
      ("embedding-dir", embeddingDir),
    ]
    let counts: [(String, Int?)] = [
      ("class", `class`), ("width", width), ("height", height), ("clip-skip", clipSkip),
      ("steps", steps), ("masked-area", maskedArea), ("noise-level", noiseLevel),
      ("left", left), ("right", right), ("top", top), ("bottom", bottom), ("overlap", overlap),
      ("hires-steps", hiresSteps), ("tile", tile),
    ]
    let numbers: [(String, Double?)] = [
      ("strength", strength), ("shift", shift), ("rho", rho), ("sigma-min", sigmaMin),
      ("sigma-max", sigmaMax), ("eta", eta), ("guidance", guidance),
      ("mask-blur", maskBlur), ("hires", hires), ("hires-strength", hiresStrength),
      ("variation-strength", variationStrength), ("at", at),
    ]
    let seeds = [("variation-seed", variationSeed), ("to-seed", toSeed), ("seed", seed)]
    return texts.compactMap { name, value in value.map { "--\(name)=\($0)" } }
      + counts.compactMap { name, value in value.map { "--\(name)=\($0)" } }
      + numbers.compactMap { name, value in value.map { "--\(name)=\($0)" } }
      + (samplerOption ?? []).map { "--sampler-option=\($0)" }
      + (textEncoder ?? []).map { "--text-encoder=\($0)" }
      + (lora ?? []).map { "--lora=\($0)" } + (embedding ?? []).map { "--embedding=\($0)" }
      + (redrawOutside == true ? ["--redraw-outside"] : []) + (fast == true ? ["--fast"] : [])
      + seeds.compactMap { name, value in value.map { "--\(name)=\($0)" } }
  }
}
