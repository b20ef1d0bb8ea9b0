import TensorCore
import TensorLayers

/// The variational autoencoder of latent diffusion (Rombach et al. 2022, section 3.1), regularised by a small
/// Kullback-Leibler term. diffusers' `AutoencoderKL`.
///
/// Pictures are `[batch, height, width, 3]` in -1...1. A latent, `[batch, height / 8, width / 8, latent channels]` for four
/// levels, is as the decoder takes it; a diffusion model's is `(latent - shift) * scale`, see ``scaled(_:)``.
public struct KLAutoencoder: Module {
  /// What it was made from.
  public let configuration: AutoencoderConfiguration
  /// The tiles that a batch of latents is decoded in; `nil` for whole pictures.
  public var tiling: AutoencoderTiling?
  var encoder: AutoencoderEncoder
  var decoder: AutoencoderDecoder
  var quant: Convolution?
  var postQuant: Convolution?

  /// An autoencoder whose parameters come from `initializer`.
  public init(
    _ configuration: AutoencoderConfiguration, initializer: inout ParameterInitializer
  ) {
    self.configuration = configuration
    let channels = configuration.latentChannels
    encoder = AutoencoderEncoder(configuration, outputs: 2 * channels, &initializer)
    decoder = AutoencoderDecoder(configuration, &initializer)
    if configuration.hasQuantConvolution {
      quant = Convolution(
        inputs: 2 * channels, outputs: 2 * channels, kernel: 1, initializer: &initializer)
    }
    if configuration.hasPostQuantConvolution {
      postQuant = Convolution(
        inputs: channels, outputs: channels, kernel: 1, initializer: &initializer)
    }
  }

  /// The distribution of a picture's latent, `q(z | x)`. The logarithm of its variance is kept to -30...20.
  public func encode(_ picture: Tensor, mode: ExecutionMode = .inference) -> DiagonalGaussian {
    let features = encoder(picture, mode: mode)
    return DiagonalGaussian(
      moments: quant.map { $0(features) } ?? features, clampedTo: -30...20)
  }

  /// The picture of a latent; values may go a little beyond -1...1.
  public func decode(_ latent: Tensor, mode: ExecutionMode = .inference) -> Tensor {
    decoder(postQuant.map { $0(latent) } ?? latent, mode: mode)
  }

  /// A latent as a diffusion model has it.
  public func scaled(_ latent: Tensor) -> Tensor {
    let factor = configuration.scalingFactor
    return latent.scaled(by: factor, plus: -configuration.shiftFactor * factor)
  }

  /// A diffusion model's latent as the decoder takes it.
  public func unscaled(_ latent: Tensor) -> Tensor {
    latent.scaled(by: 1 / configuration.scalingFactor, plus: configuration.shiftFactor)
  }

  /// `encoder`, `decoder`, `quant_conv`, `post_quant_conv`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("encoder", &encoder)
    try list.module("decoder", &decoder)
    try list.module("quant_conv", &quant)
    try list.module("post_quant_conv", &postQuant)
  }
}
