import ArgumentParser
import DiffusionModels
import TensorCore
import TensorLayers

/// The models whose parts are timed, with random parameters.
enum ModelPreset: String, ExpressibleByArgument, CaseIterable {
  /// Stable Diffusion 1.5: 860 M parameters in the U-Net.
  case sd15
  /// Stable Diffusion 2.1: linear projections, heads of 64 channels.
  case sd21
  /// Stable Diffusion XL: 2,567 M parameters in the U-Net.
  case sdxl
  /// The small U-Net on pixels that `bench train` trains; it has neither autoencoder nor text.
  case reference

  /// The U-Net; of the reference there is ``UNetConfiguration/reference`` in its place.
  var unet: ConditionalUNetConfiguration {
    var configuration = ConditionalUNetConfiguration()
    switch self {
    case .sd15, .reference:
      configuration.crossAttentionWidths = [768, 768, 768, 768]
    case .sd21:
      configuration.crossAttentionWidths = [1024, 1024, 1024, 1024]
      configuration.heads = [5, 10, 20, 20]
      configuration.usesLinearProjection = true
    case .sdxl:
      configuration.downBlocks = [.plain, .cross, .cross]
      configuration.upBlocks = [.cross, .cross, .plain]
      configuration.onlyCrossAttention = [false, false, false]
      configuration.blockOutChannels = [320, 640, 1280]
      configuration.layersPerBlock = [2, 2, 2]
      configuration.crossAttentionWidths = [2048, 2048, 2048]
      configuration.transformerDepths = [1, 2, 10]
      configuration.heads = [5, 10, 20]
      configuration.usesLinearProjection = true
      configuration.additionalEmbedding = .textTime
      configuration.additionalTimeWidth = 256
      configuration.projectionInputs = 2816
    }
    return configuration
  }

  /// The autoencoder, which is the same for all of them.
  var autoencoder: AutoencoderConfiguration {
    var configuration = AutoencoderConfiguration()
    configuration.blockOutChannels = [128, 256, 512, 512]
    configuration.layersPerBlock = 2
    return configuration
  }

  /// The text encoder; of SDXL the first.
  var text: CLIPConfiguration {
    var configuration = CLIPConfiguration()
    configuration.width = self == .sd21 ? 1024 : 768
    configuration.innerWidth = 4 * configuration.width
    configuration.heads = configuration.width / 64
    configuration.layers = self == .sd21 ? 23 : 12
    configuration.activation = self == .sd21 ? .gelu : .quickGELU
    return configuration
  }
}

extension Module {
  /// A copy with parameters as a trained network might have them: weights that keep the variance, norms of 1, biases
  /// of 0.
  func filled(weights dtype: DType = .float32) -> Self {
    var draws = CounterGenerator(seed: 0)
    return mapParameters { tensor, parameter in
      switch parameter.layout {
      case .vector:
        let value = parameter.name.hasSuffix("bias") ? 0.0 : 1.0
        return Tensor(repeating: value, shape: tensor.shape)
      case .linear, .embedding, .convolution, .transposedConvolution:
        let fanIn = tensor.count / max(1, parameter.layout.fileShape(ofMemory: tensor.shape)[0])
        let bound = 1 / Double(max(1, fanIn)).squareRoot()
        return Tensor.randomUniform(tensor.shape, low: -bound, high: bound, using: &draws)
          .converted(
            to: WeightStorage.rounded(to: dtype, parameter.layout, shape: tensor.shape) ?? .float32)
      }
    }
  }
}
