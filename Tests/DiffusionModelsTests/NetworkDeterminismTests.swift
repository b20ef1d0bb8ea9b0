import DiffusionModels
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// Whole networks give a sample the same bytes for 1, 2, 3 and 8 threads and in any batch.
@Suite(.serialized) struct NetworkDeterminismTests {
  /// Random parameters, so that no part of a network is without effect.
  private func filled<Network: Module>(_ network: Network) -> Network {
    var seed: UInt64 = 0
    return network.mapParameters { tensor, _ in
      seed += 1
      return Sample.uniform(tensor.shape, seed: seed, low: -0.2, high: 0.2)
        .converted(to: .float32)
    }
  }

  /// `answer` is asked for samples of `0..<count`; what it gives has them along its first axis.
  private func expectSameBytes(
    of count: Int, _ name: String, _ answer: ([Int]) -> Tensor
  ) {
    let threads = Backend.threads
    defer { Backend.threads = threads }
    let whole = answer(Array(0..<count))
    let isFinite = whole.floats.allSatisfy { $0.isFinite }
    #expect(isFinite, "\(name)")
    for number in [1, 2, 3, 8] {
      Backend.threads = number
      expectSame(answer(Array(0..<count)).floats, whole.floats, "\(name), \(number) threads")
      for sample in 0..<count {
        expectSame(
          answer([sample]).floats, whole.sliced(axis: 0, sample..<sample + 1).floats,
          "\(name), sample \(sample) alone, \(number) threads")
      }
      let turned = Array((0..<count).reversed())
      expectSame(
        answer(turned).sliced(axis: 0, 0..<1).floats,
        whole.sliced(axis: 0, count - 1..<count).floats, "\(name), turned, \(number) threads")
    }
  }

  /// Some samples of a tensor.
  private func rows(_ tensor: Tensor, _ samples: [Int]) -> Tensor {
    Tensor.concatenated(samples.map { tensor.sliced(axis: 0, $0..<$0 + 1) }, axis: 0)
  }

  private func noise(_ shape: [Int], seed: UInt64) -> Tensor {
    Sample.uniform(shape, seed: seed).converted(to: .float32)
  }

  @Test func conditionalUNet() {
    var configuration = ConditionalUNetConfiguration()
    configuration.blockOutChannels = [32, 64, 64, 64]
    configuration.crossAttentionWidths = [24, 24, 24, 24]
    var unset = ParameterInitializer.unset
    let network = filled(ConditionalUNet(configuration, initializer: &unset))
    let x = noise([3, 16, 16, configuration.inChannels], seed: 1)
    let text = noise([3, 77, 24], seed: 2)
    expectSameBytes(of: 3, "U-Net") { samples in
      network(
        rows(x, samples), timesteps: samples.map { 100 + 300 * Double($0) },
        text: rows(text, samples))
    }
  }

  @Test func autoencoder() {
    var configuration = AutoencoderConfiguration()
    configuration.blockOutChannels = [32, 64]
    var unset = ParameterInitializer.unset
    let network = filled(KLAutoencoder(configuration, initializer: &unset))
    let latents = noise([3, 7, 9, configuration.latentChannels], seed: 3)
    expectSameBytes(of: 3, "decoder") { network.decode(rows(latents, $0)) }
    let pictures = noise([3, 18, 14, configuration.inChannels], seed: 4)
    expectSameBytes(of: 3, "encoder") { network.encode(rows(pictures, $0)).mean }
  }

  @Test func textEncoder() {
    var configuration = CLIPConfiguration()
    (configuration.width, configuration.innerWidth) = (64, 256)
    (configuration.heads, configuration.layers) = (4, 2)
    configuration.vocabularySize = 100
    configuration.endToken = 99
    var unset = ParameterInitializer.unset
    let network = filled(
      CLIPTextEncoder(configuration, hasProjection: false, initializer: &unset))
    let texts = (0..<3).map { text in (0..<77).map { ($0 * 7 + 13 * text) % 99 } }
    expectSameBytes(of: 3, "text encoder") { samples in
      network.states(network(samples.map { texts[$0] }), skipping: 0, normed: true)
    }
  }
}
