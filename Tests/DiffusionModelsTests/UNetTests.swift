import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct UNetTests {
  static func tiny(
    _ change: (inout UNetConfiguration) -> Void = { _ in }
  ) -> UNetConfiguration {
    var configuration = UNetConfiguration()
    configuration.inChannels = 1
    configuration.outChannels = 1
    configuration.downBlockTypes = [.plain, .attention]
    configuration.upBlockTypes = [.attention, .plain]
    configuration.blockOutChannels = [4, 4]
    configuration.layersPerBlock = 1
    configuration.normNumGroups = 2
    configuration.attentionHeadDim = 2
    configuration.numClassEmbeds = 3
    change(&configuration)
    return configuration
  }

  /// Every parameter's gradient along a direction by central differences in float64; also under checkpointing.
  @Test(arguments: ["shift", "scale and shift", "skip"], [false, true])
  func gradientsAgreeWithCentralDifferences(_ kind: String, checkpoints: Bool) throws {
    let configuration = Self.tiny {
      $0.resnetTimeScaleShift = kind == "scale and shift" ? .scaleShift : .shift
      $0.dropout = 0.2
      if kind == "skip" {
        $0.downBlockTypes = [.skip, .skip]
        $0.upBlockTypes = [.skip, .skip]
        $0.midBlockScaleFactor = 2.0.squareRoot()
        $0.normNumGroups = nil
      }
      if kind == "scale and shift" {
        $0.downBlockTypes = [.residual, .attention]
        $0.upBlockTypes = [.attention, .residual]
      }
    }
    let network = try UNet(configuration, seed: 3).converted(to: .float64)
    let x = Sample.uniform([2, 4, 4, 1], seed: 4)
    let seed = Sample.uniform([2, 4, 4, 1], seed: 5)
    let mode = ExecutionMode.training(
      dropout: DropoutKey(seed: 1, step: 2), checkpointsActivations: checkpoints)
    func value(_ network: UNet, _ x: Tensor) -> Tensor {
      (network(x, timesteps: [3, 700], classes: [0, 2], mode: mode) * seed).sum()
    }
    let tape = Tape()
    let (watched, variables) = network.watched(by: tape)
    let input = tape.watch(x)
    let gradients = tape.gradients(
      of: value(watched, input), withRespectTo: variables.map(\.tensor) + [input])
    for (index, (name, tensor)) in (network.parameters() + [("x", x)]).enumerated() {
      let direction = Sample.uniform(tensor.shape, seed: UInt64(100 + index))
      func moved(_ step: Double) -> Double {
        let changed = network.mapParameters { $1.name == name ? $0 + direction * step : $0 }
        return value(changed, name == "x" ? x + direction * step : x).item
      }
      let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5
      let found = (gradients[index] * direction).sum().item
      #expect(abs(found - expected) < 1e-6 * max(1, abs(expected)), "\(name)")
    }
  }

  @Test(arguments: [TimeEmbeddingKind.positional, .fourier, .learned])
  func everyStoredTensorIsListed(_ kind: TimeEmbeddingKind) throws {
    let configuration = Self.tiny {
      $0.timeEmbeddingType = kind
      $0.numTrainTimesteps = 10
      $0.classEmbedType = kind == .learned ? .timestep : nil
    }
    let network = try UNet(configuration, seed: 0)
    #expect(storedTensorCount(network) == network.parameters().count)
    #expect(Set(network.parameters().map(\.name)).count == network.parameters().count)
  }

  @Test func dropoutIsOfTrainingAlone() throws {
    let network = try UNet(Self.tiny { $0.dropout = 0.5 }, seed: 0)
    let x = Sample.uniform([1, 8, 8, 1]).converted(to: .float32)
    let quiet = network(x, timestep: 5, classes: [1])
    #expect(network(x, timestep: 5, classes: [1]).floats == quiet.floats)
    let key = DropoutKey(seed: 0, step: 0)
    let trained = network(x, timestep: 5, classes: [1], mode: .training(dropout: key))
    #expect(trained.floats != quiet.floats)
    #expect(
      network(x, timestep: 5, classes: [1], mode: .training(dropout: key)).floats == trained.floats)
  }

  @Test func classesAndTimestepsMatter() throws {
    let network = try UNet(Self.tiny(), seed: 0)
    let x = Sample.uniform([1, 8, 8, 1]).converted(to: .float32)
    let base = network(x, timestep: 5, classes: [1]).floats
    #expect(network(x, timestep: 6, classes: [1]).floats != base)
    #expect(network(x, timestep: 5, classes: [2]).floats != base)
  }

  /// With the features of the very evaluation, the small part of the work gives the answer's bytes; with those of another
  /// timestep it does not.
  @Test func deepFeaturesServe() throws {
    var configuration = UNetConfiguration()
    configuration.sampleSize = [8]
    configuration.blockOutChannels = [32, 64]
    configuration.downBlockTypes = [.plain, .attention]
    configuration.upBlockTypes = [.attention, .plain]
    let network = try UNet(configuration, seed: 3)
    var draws = CounterGenerator(seed: 4)
    let x = Tensor.randomNormal([2, 8, 8, 3], using: &draws)
    let (answer, deep) = network.answer(x, timesteps: [300, 600])
    #expect(network.answer(x, timesteps: [300, 600], deep: deep).floats == answer.floats)
    let earlier = network.answer(x, timesteps: [320, 620]).deep
    #expect(network.answer(x, timesteps: [300, 600], deep: earlier).floats != answer.floats)
  }
}
