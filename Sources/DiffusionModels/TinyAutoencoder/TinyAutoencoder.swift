import TensorCore
import TensorLayers

/// A tiny autoencoder (TAESD and its kin): latents of Stable Diffusion, SDXL, SD3, FLUX or FLUX.2 to pictures and back, at
/// a hundredth of the cost of the autoencoder they were made with. diffusers' `AutoencoderTiny`.
///
/// Pictures are `[batch, height, width, 3]` in -1...1, latents `[batch, height / 8, width / 8, latent channels]` as the
/// diffusion model has them.
public struct TinyAutoencoder: Module {
  /// What it was made from.
  public let configuration: TinyAutoencoderConfiguration
  var encoder: TinySequence
  var decoder: TinySequence

  /// An autoencoder whose parameters come from `initializer`.
  public init(
    _ configuration: TinyAutoencoderConfiguration, initializer: inout ParameterInitializer
  ) {
    self.configuration = configuration
    encoder = .encoder(configuration, &initializer)
    decoder = .decoder(configuration, &initializer)
  }

  /// The latent of a picture.
  public func encode(_ picture: Tensor) -> Tensor {
    encoder(picture.scaled(by: 0.5, plus: 0.5))
  }

  /// The picture of a latent. Latents beyond -3...3 are drawn in first: `3 tanh(x / 3)`.
  public func decode(_ latent: Tensor) -> Tensor {
    decoder((latent / 3).tanh() * 3).scaled(by: 2, plus: -1)
  }

  /// `encoder.layers.N`, `decoder.layers.N`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("encoder.layers", &encoder)
    try list.module("decoder.layers", &decoder)
  }
}

/// The layers of one half, named by their places as PyTorch's `Sequential` names them.
struct TinySequence: Module {
  private enum Layer: Sendable {
    case convolution(Convolution)
    case block(TinyBlock)
    case activation(Activation)
    case doubling
  }

  private var layers: [Layer] = []

  static func encoder(
    _ configuration: TinyAutoencoderConfiguration, _ initializer: inout ParameterInitializer
  ) -> TinySequence {
    var sequence = TinySequence()
    let channels = configuration.encoderChannels
    for (level, width) in channels.enumerated() {
      let isFirst = level == 0
      sequence.append(
        Convolution(
          inputs: isFirst ? configuration.inChannels : width, outputs: width, kernel: 3,
          stride: isFirst ? 1 : 2, padding: 1, hasBias: isFirst, initializer: &initializer))
      sequence.appendBlocks(
        configuration.encoderBlocks[level], width, configuration,
        isPooled: level == channels.count - 1, &initializer)
    }
    sequence.append(
      Convolution(
        inputs: channels[channels.count - 1], outputs: configuration.latentChannels, kernel: 3,
        padding: 1, initializer: &initializer))
    return sequence
  }

  static func decoder(
    _ configuration: TinyAutoencoderConfiguration, _ initializer: inout ParameterInitializer
  ) -> TinySequence {
    var sequence = TinySequence()
    let channels = configuration.decoderChannels
    sequence.append(
      Convolution(
        inputs: configuration.latentChannels, outputs: channels[0], kernel: 3, padding: 1,
        initializer: &initializer))
    sequence.layers.append(.activation(configuration.activation))
    for (level, width) in channels.enumerated() {
      let isLast = level == channels.count - 1
      sequence.appendBlocks(
        configuration.decoderBlocks[level], width, configuration, isPooled: level == 0,
        &initializer)
      if !isLast { sequence.layers.append(.doubling) }
      sequence.append(
        Convolution(
          inputs: width, outputs: isLast ? configuration.outChannels : width, kernel: 3,
          padding: 1, hasBias: isLast, initializer: &initializer))
    }
    return sequence
  }

  private mutating func append(_ convolution: Convolution) {
    layers.append(.convolution(convolution))
  }

  private mutating func appendBlocks(
    _ count: Int, _ width: Int, _ configuration: TinyAutoencoderConfiguration, isPooled: Bool,
    _ initializer: inout ParameterInitializer
  ) {
    for _ in 0..<count {
      layers.append(
        .block(
          TinyBlock(
            inputs: width, outputs: width, activation: configuration.activation,
            isPooled: isPooled && configuration.hasPooledBlocks, initializer: &initializer)))
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    layers.reduce(x) { hidden, layer in
      switch layer {
      case .convolution(let convolution): convolution(hidden)
      case .block(let block): block(hidden)
      case .activation(let activation): activation(hidden)
      case .doubling: hidden.upsampledNearest(by: 2)
      }
    }
  }

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    for index in layers.indices {
      switch layers[index] {
      case .convolution(var convolution):
        try list.module("\(index)", &convolution)
        layers[index] = .convolution(convolution)
      case .block(var block):
        try list.module("\(index)", &block)
        layers[index] = .block(block)
      case .activation, .doubling: break
      }
    }
  }
}
