import Diffusion
import DiffusionModels
import TensorCore
import TextTokenizer

/// A latent diffusion model that draws from texts: the parts of a Stable Diffusion checkpoint.
public struct LatentModel: Sendable {
  /// Denoises latents.
  public let unet: ConditionalUNet
  /// Latents to pictures and back.
  public let autoencoder: KLAutoencoder
  /// Texts to what the U-Net looks at; SDXL has two, whose states stand side by side.
  public let texts: [TextPart]
  /// What the U-Net was trained on, and the scheduler that the model came with.
  public let process: ProcessConfiguration

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

  /// The side of a picture where none is asked for: that of the latents it was trained on.
  public var usualSide: Int {
    (unet.configuration.sampleSize ?? 64) * autoencoder.configuration.reduction
  }
}

/// What a picture is to show, as a latent model's network takes it.
public struct TextCondition: Sendable {
  /// The tokens' states, `[1, tokens, width]`.
  public let states: Tensor
  /// The whole text's vector, `[1, width]`, where the network takes one.
  public let vector: Tensor?
  /// The picture's sizes, where the network takes them.
  public let sizes: [Double]?
}

extension LatentModel: Network {
  /// The U-Net's answer for latents `[batch, height, width, channels]`.
  public func predict(_ x: Tensor, times: [Double], conditions: [TextCondition]) -> Tensor {
    let states = Tensor.concatenated(conditions.map(\.states), axis: 0)
    let vectors = conditions.compactMap(\.vector)
    let extras = ConditionalUNet.Extras(
      text: vectors.isEmpty ? nil : Tensor.concatenated(vectors, axis: 0),
      sizes: takesSizes ? conditions.map { $0.sizes ?? [] } : nil)
    return unet(x, timesteps: times, text: states, extras: extras)
  }
}
