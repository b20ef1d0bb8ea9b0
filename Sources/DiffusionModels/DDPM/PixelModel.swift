import Diffusion
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

/// A trained U-Net over pixels with the noise that it was trained on; unconditional, or conditioned on classes with one
/// class that stands for none.
public struct PixelModel: Sendable {
  /// The network.
  public let network: UNet
  /// What was trained.
  public let configuration: PixelModelConfiguration
  /// The forward process: the noise that it was trained on.
  public let forward: AnyProcess

  /// The metadata's key for the configuration, as JSON.
  package static let configurationKey = "configuration"
  /// What the names of the averaged weights begin with in a training checkpoint, before the dot.
  package static let averagePrefix = "ema"

  /// A model of its parts.
  public init(network: UNet, configuration: PixelModelConfiguration) {
    self.network = network
    self.configuration = configuration
    forward = AnyProcess(configuration.process.samplingProcess)
  }

  /// Reads a training checkpoint, whose averaged weights are taken, or an exported model. Weights in half precision are
  /// widened.
  ///
  /// - Throws: `CheckpointError` for a file that cannot be read or whose tensors are not those of its configuration;
  ///   ``ModelError`` where its metadata has no configuration of a pixel model.
  public init(path: String) throws {
    let file = try openCheckpoint(path: path)
    guard let text = file.metadata[Self.configurationKey] else {
      throw ModelError.configuration(
        path: path, key: "",
        problem: "no configuration in its metadata; give a model or checkpoint that "
          + "`diffusion train ddpm` or `train score` wrote")
    }
    let configuration: PixelModelConfiguration
    do {
      configuration = try JSONDecoder().decode(
        PixelModelConfiguration.self, from: Data(text.utf8))
    } catch {
      throw ModelError.configuration(
        path: path, key: "",
        problem: "the metadata has no configuration of a pixel model: \(error)")
    }
    do throws(ModelError) {
      try configuration.validate()
    } catch {
      throw error.inFile(path)
    }
    var unset = ParameterInitializer.unset
    var network = try UNet(configuration.model, initializer: &unset)
    let isAverage = file.entries.contains { $0.name.hasPrefix(Self.averagePrefix + ".") }
    let part = file.part(under: isAverage ? Self.averagePrefix + "." : "")
    try network.load(from: part, under: isAverage ? Self.averagePrefix : "")
    self.init(network: network, configuration: configuration)
  }

  /// The forward process where that is a chain of steps; `nil` for a continuous one.
  public var chain: DiscreteProcess? { forward.base as? DiscreteProcess }
  /// The chain of a model that has one.
  public var process: DiscreteProcess {
    guard let chain else {
      misuse("PixelModel", "its process is no chain but \(type(of: forward.base)): use forward")
    }
    return chain
  }

  /// The classes a picture can be asked of: the numbers below this; 0 for a network without classes.
  public var classCount: Int { configuration.emptyClass ?? 0 }

  /// The shape of a batch of pictures, `[count, height, width, channels]`.
  public func shape(count: Int) -> [Int] {
    let size = configuration.model.sampleSize ?? []
    let (height, width) = (size.first ?? 0, size.last ?? 0)
    return [count, height, width, configuration.model.inChannels]
  }

  /// The denoiser of the network: tell it a class for each sample, or `nil` for none.
  public var denoiser: NetworkDenoiser<PixelModel, AnyProcess> {
    NetworkDenoiser(
      self, process: forward, parameterization: configuration.process.networkParameterization)
  }

  /// The denoiser of one trajectory whose deep features are computed at every `interval`-th evaluation only.
  public func denoiser(deepInterval interval: Int) -> NetworkDenoiser<
    DeepCache<PixelModel>, AnyProcess
  > {
    NetworkDenoiser(
      DeepCache(self, interval: network.hasPictures ? 1 : interval), process: forward,
      parameterization: configuration.process.networkParameterization)
  }
}

extension PixelModel: DeepNetwork {
  /// The network's answer; a class of `nil` is the empty one.
  public func predict(_ x: Tensor, times: [Double], conditions: [Int?]) -> Tensor {
    network(x, timesteps: times, classes: classes(conditions))
  }

  /// The same, with the deep features.
  public func predictKeeping(
    _ x: Tensor, times: [Double], conditions: [Int?]
  ) -> (answer: Tensor, deep: Tensor) {
    network.answer(x, timesteps: times, classes: classes(conditions))
  }

  /// The answer from earlier features.
  public func predict(
    _ x: Tensor, times: [Double], conditions: [Int?], deep: Tensor
  ) -> Tensor {
    network.answer(x, timesteps: times, classes: classes(conditions), deep: deep)
  }

  private func classes(_ conditions: [Int?]) -> [Int]? {
    configuration.emptyClass.map { empty in conditions.map { $0 ?? empty } }
  }
}
