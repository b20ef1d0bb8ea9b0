import DiffusionImages
import DiffusionModels
import TensorCore

/// An autoencoder of pictures by itself, of any kind: what `diffusion encode` and `diffusion decode` use.
///
/// Latents are as a diffusion model has them: scaled, `[batch, height, width, channels]`.
public enum PictureAutoencoder: Sendable {
  /// Stable Diffusion's; a picture's latent is the mean of its distribution.
  case variational(KLAutoencoder)
  /// With a codebook; latents are rounded to it when they are decoded.
  case quantized(VQAutoencoder)
  /// TAESD and its kin.
  case tiny(TinyAutoencoder)

  /// Pixels of a picture that a latent's stands for, along one side.
  public var reduction: Int {
    switch self {
    case .variational(let autoencoder): autoencoder.configuration.reduction
    case .quantized(let autoencoder): autoencoder.configuration.reduction
    case .tiny(let autoencoder): 1 << (autoencoder.configuration.encoderChannels.count - 1)
    }
  }

  /// Channels of a latent.
  public var latentChannels: Int {
    switch self {
    case .variational(let autoencoder): autoencoder.configuration.latentChannels
    case .quantized(let autoencoder): autoencoder.configuration.latentChannels
    case .tiny(let autoencoder): autoencoder.configuration.latentChannels
    }
  }

  /// The latent of a picture whose sides are multiples of ``reduction``.
  public func encode(_ image: Image) -> Tensor {
    let picture = Self.tensor(image)
    switch self {
    case .variational(let autoencoder):
      return autoencoder.scaled(autoencoder.encode(picture).mode)
    case .quantized(let autoencoder): return autoencoder.encode(picture)
    case .tiny(let autoencoder): return autoencoder.encode(picture)
    }
  }

  /// The pictures of latents.
  public func decode(_ latents: Tensor) -> [Image] {
    switch self {
    case .variational(let autoencoder):
      return PixelModel.images(of: autoencoder.decodeSlices(autoencoder.unscaled(latents)))
    case .quantized(let autoencoder): return PixelModel.images(of: autoencoder.decode(latents))
    case .tiny(let autoencoder): return PixelModel.images(of: autoencoder.decode(latents))
    }
  }

  /// A picture over white as `[1, height, width, 3]` in -1...1.
  private static func tensor(_ image: Image) -> Tensor {
    let rgb = image.converted(toChannels: 3, over: .white)
    return Tensor(
      rgb.samples.map { Float($0) / 127.5 - 1 }, shape: [1, rgb.height, rgb.width, 3])
  }
}
