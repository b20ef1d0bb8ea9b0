import Diffusion
import DiffusionModels
import TensorCore
import TextTokenizer

/// A latent diffusion model that draws from texts: the parts of a Stable Diffusion checkpoint.
public struct LatentModel: Sendable {
  /// Denoises latents.
  public internal(set) var unet: ConditionalUNet
  /// Latents to pictures and back.
  public var autoencoder: KLAutoencoder
  /// Texts to what the U-Net looks at; SDXL has two, whose states stand side by side.
  public internal(set) var texts: [TextPart]
  /// What the U-Net was trained on, and the scheduler that the model came with.
  public let process: ProcessConfiguration
  /// How a small picture is noised before it is enlarged, of models that enlarge.
  public var lowResolution: ProcessConfiguration?
  /// Whether no negative prompt means zeros, and not an empty text's states (SDXL).
  public var zeroesEmptyNegative = false
  /// The texts of a batch side by side: the same memory at every step, so that the U-Net knows them again.
  private let joinedTexts = LastResult()

  /// A text encoder with its tokenizer.
  public struct TextPart: Sendable {
    /// Text to tokens.
    public let tokenizer: CLIPTokenizer
    /// Tokens to vectors.
    public let encoder: CLIPTextEncoder

    /// A part.
    public init(tokenizer: CLIPTokenizer, encoder: CLIPTextEncoder) {
      self.tokenizer = tokenizer
      self.encoder = encoder
    }
  }

  /// A model of its parts.
  public init(
    unet: ConditionalUNet, autoencoder: KLAutoencoder, texts: [TextPart],
    process: ProcessConfiguration
  ) {
    self.unet = unet
    self.autoencoder = autoencoder
    self.texts = texts
    self.process = process
  }

  /// Whether the U-Net takes a text's vector and the picture's sizes beside its tokens (SDXL).
  public var takesSizes: Bool { unet.configuration.additionalEmbedding == .textTime }

  /// What a U-Net sees of a picture beside the latents.
  public enum PictureChannels: Sendable, Hashable {
    /// A mask and the latent of the picture under it: inpainting.
    case maskedPicture
    /// A small picture, to be enlarged.
    case smallPicture
  }

  /// What the U-Net sees of a picture, by how many channels it takes; `nil` for nothing.
  public var takes: PictureChannels? {
    let latent = autoencoder.configuration.latentChannels
    switch unet.configuration.inChannels - latent {
    case latent + 1: return .maskedPicture
    case autoencoder.configuration.inChannels: return .smallPicture
    default: return nil
    }
  }

  /// The side of a picture where none is asked for: that of the latents it was trained on.
  public var usualSide: Int {
    (unet.configuration.sampleSize ?? 64) * autoencoder.configuration.reduction
  }

  /// A sample of a latent's distribution by standard normal noise `[batch, ...]`, as the U-Net has latents.
  func sampled(_ latent: DiagonalGaussian, noise: Tensor) -> Tensor {
    autoencoder.scaled(latent.mean + latent.deviation * noise)
  }
}

/// What a picture is to show, as a latent model's network takes it.
public struct TextCondition: Sendable {
  /// The tokens' states, `[1, tokens, width]`.
  public var states: Tensor
  /// The whole text's vector, `[1, width]`, where the network takes one.
  public var vector: Tensor?
  /// The picture's sizes, where the network takes them.
  public var sizes: [Double]?
  /// What the network sees beside the latents, `[1, height, width, channels]`, where it takes such.
  public var channels: Tensor?
  /// The timestep whose noise those have, where the network takes it.
  public var noiseLevel: Double?
  /// How strongly the text is to be followed, where the network is told so.
  public var guidance: Double?

  /// The same beside what the network sees of a picture.
  func beside(_ channels: Tensor?, _ noiseLevel: Double?) -> Self {
    var condition = self
    condition.channels = channels
    condition.noiseLevel = noiseLevel
    return condition
  }

  /// The way from this to another of equally many tokens; 0 is this one.
  func interpolated(to other: Self, share: Double) -> Self {
    func between(_ a: Tensor, _ b: Tensor) -> Tensor {
      Tensor.linearCombination([(1 - share, a), (share, b)])
    }
    var condition = self
    condition.states = between(states, other.states)
    if let vector, let end = other.vector { condition.vector = between(vector, end) }
    return condition
  }
}

extension LatentModel: DeepNetwork {
  /// The U-Net's answer for latents `[batch, height, width, channels]`.
  public func predict(_ x: Tensor, times: [Double], conditions: [TextCondition]) -> Tensor {
    predictKeeping(x, times: times, conditions: conditions).answer
  }

  /// The same, with the deep features.
  public func predictKeeping(
    _ x: Tensor, times: [Double], conditions: [TextCondition]
  ) -> (answer: Tensor, deep: Tensor) {
    let (seen, text, extras) = inputs(x, conditions)
    return unet.answer(seen, timesteps: times, text: text, extras: extras)
  }

  /// The answer from earlier features.
  public func predict(
    _ x: Tensor, times: [Double], conditions: [TextCondition], deep: Tensor
  ) -> Tensor {
    let (seen, text, extras) = inputs(x, conditions)
    return unet.answer(seen, timesteps: times, text: text, extras: extras, deep: deep)
  }

  /// What the U-Net takes.
  private func inputs(
    _ x: Tensor, _ conditions: [TextCondition]
  ) -> (x: Tensor, text: Tensor, extras: ConditionalUNet.Extras) {
    let parts = conditions.map(\.states)
    let states = joinedTexts.of(parts) { [Tensor.concatenated(parts, axis: 0)] }[0]
    let vectors = conditions.compactMap(\.vector)
    let levels = conditions.compactMap(\.noiseLevel)
    var extras = ConditionalUNet.Extras(
      classes: levels.isEmpty ? nil : levels,
      text: vectors.isEmpty ? nil : Tensor.concatenated(vectors, axis: 0),
      sizes: takesSizes ? conditions.map { $0.sizes ?? [] } : nil)
    extras.guidance = unet.guidanceEmbedding(conditions.map { $0.guidance ?? 1 })
    let channels = conditions.compactMap(\.channels)
    let seen =
      channels.isEmpty
      ? x : Tensor.concatenated([x, Tensor.concatenated(channels, axis: 0)], axis: -1)
    return (seen, states, extras)
  }
}
