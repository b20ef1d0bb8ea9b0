import TensorCore
import TensorLayers

/// The vector-quantised autoencoder of latent diffusion (van den Oord et al. 2017; Rombach et al. 2022, section 3.1): the
/// decoder sees the nearest vectors of a codebook. diffusers' `VQModel`.
public struct VQAutoencoder: Module {
  /// What it was made from.
  public let configuration: AutoencoderConfiguration
  var encoder: AutoencoderEncoder
  var quant: Convolution
  var codebook: Embedding
  var postQuant: Convolution
  var decoder: AutoencoderDecoder

  /// An autoencoder whose parameters come from `initializer`.
  public init(
    _ configuration: AutoencoderConfiguration, initializer: inout ParameterInitializer
  ) {
    self.configuration = configuration
    let channels = configuration.latentChannels
    let width = configuration.codeWidth ?? channels
    encoder = AutoencoderEncoder(configuration, outputs: channels, &initializer)
    quant = Convolution(inputs: channels, outputs: width, kernel: 1, initializer: &initializer)
    codebook = Embedding(
      count: configuration.codebookSize, width: width, initializer: &initializer)
    postQuant = Convolution(inputs: width, outputs: channels, kernel: 1, initializer: &initializer)
    decoder = AutoencoderDecoder(configuration, &initializer)
  }

  /// The latent of a picture, before quantisation: `[batch, height / f, width / f, code width]`.
  public func encode(_ picture: Tensor, mode: ExecutionMode = .inference) -> Tensor {
    quant(encoder(picture, mode: mode))
  }

  /// The index of the nearest vector of the codebook for each pixel of a latent, in row-major order.
  ///
  /// Nearest by `|e|^2 - 2 z . e`; the first of equals.
  public func codes(of latent: Tensor) -> [Int] {
    let width = latent.shape[latent.rank - 1]
    let table = codebook.weight.detached
    let rows = latent.detached.reshaped([-1, width])
    let distances =
      (table * table).sum(axes: [1]) - rows.matmul(table, transposeB: true) * 2
    let count = table.shape[0]
    let values = distances.doubles
    return stride(from: 0, to: values.count, by: count).map { start in
      (0..<count).min { values[start + $0] < values[start + $1] } ?? 0
    }
  }

  /// A latent with each pixel replaced by the nearest vector of the codebook.
  public func quantized(_ latent: Tensor) -> Tensor {
    codebook(codes(of: latent)).reshaped(latent.shape)
  }

  /// The picture of a latent, which is quantised first.
  public func decode(_ latent: Tensor, mode: ExecutionMode = .inference) -> Tensor {
    decoder(postQuant(quantized(latent)), mode: mode)
  }

  /// `encoder`, `quant_conv`, `quantize.embedding`, `post_quant_conv`, `decoder`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("encoder", &encoder)
    try list.module("quant_conv", &quant)
    try list.module("quantize.embedding", &codebook)
    try list.module("post_quant_conv", &postQuant)
    try list.module("decoder", &decoder)
  }
}
