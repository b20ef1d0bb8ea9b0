import DiffusionTraining
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct OptimizerTests {
  /// Two parameters without a network.
  private struct Pair: Module {
    var first: Tensor
    var second: Tensor

    mutating func listParameters<Visitor: ParameterVisitor>(
      to list: inout ParameterList<Visitor>
    ) throws(Visitor.Failure) {
      try list.parameter("first", &first, .vector)
      try list.parameter("second", &second, .vector)
    }
  }

  static let cases: [(name: String, optimizer: any Optimizer, rate: Double)] = [
    ("adamw", AdamW(weightDecay: 0.1), 1e-2),
    ("adam", AdamW(beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0), 3e-2),
    ("sgd", SGD(weightDecay: 0.01), 0.1),
    ("momentum", SGD(momentum: 0.9, weightDecay: 0.01), 0.1),
    ("nesterov", SGD(momentum: 0.8, nesterov: true), 0.05),
  ]

  @Test(arguments: 0..<5)
  func stepsAgreeWithPyTorch(index: Int) throws {
    let (name, initial, rate) = Self.cases[index]
    var optimizer = initial
    let golden = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("optimizers.safetensors").path)
    func tensors(_ key: String) throws -> [Tensor] {
      [try golden.tensor(named: "\(name).\(key).0"), try golden.tensor(named: "\(name).\(key).1")]
    }
    let start = try tensors("initial")
    var network = Pair(first: start[0], second: start[1])
    for step in 0..<5 {
      // Half of the gradients at twice the scale must be the same.
      let gradients = try tensors("gradient.\(step)").map { $0 * 0.5 }
      optimizer.update(&network, gradients: gradients, scale: 2, learningRate: rate)
      let expected = try tensors("expected.\(step)")
      expectClose(network.first, expected[0], tolerance: 1e-6, "\(name) step \(step)")
      expectClose(network.second, expected[1], tolerance: 1e-6, "\(name) step \(step)")
    }
  }

  @Test func updatesWriteInPlace() {
    var network = Pair(
      first: Sample.uniform([40_000]).converted(to: .float32),
      second: Sample.uniform([3]).converted(to: .float32))
    let gradients = network.parameters().map { $0.tensor * 2 }
    var optimizer = AdamW()
    optimizer.update(&network, gradients: gradients, learningRate: 0.1)
    let before = (network.first.readAddress, optimizer.slots[0][0].readAddress)
    optimizer.update(&network, gradients: gradients, learningRate: 0.1)
    #expect(network.first.readAddress == before.0)
    #expect(optimizer.slots[0][0].readAddress == before.1)
  }

  @Test func normIsThatOfAllGradientsTogether() {
    let parts = [Sample.uniform([50_000], seed: 1), Sample.uniform([3, 4], seed: 2)]
    let expected = parts.flatMap(\.doubles).reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(GradientNorm.global(parts) - expected) < 1e-12 * expected)
    let narrow = parts.map { $0.converted(to: .float32) }
    #expect(abs(GradientNorm.global(narrow) - expected) < 1e-6 * expected)
    #expect(GradientNorm.clipping(norm: 0.5, to: 1) == 1)
    #expect(abs(GradientNorm.clipping(norm: 4, to: 1) - 0.25) < 1e-6)
  }

  @Test func warmUpOfTheAverageIsThatOfDiffusers() {
    // EMAModel(decay=0.9999, use_ema_warmup=True, inv_gamma=2, power=0.75).get_decay(n)
    let decay = AveragingDecay(decay: 0.9999, warmUp: .init(inverseGamma: 2, power: 0.75))
    #expect(decay.value(atUpdate: 1) == 0)
    #expect(
      abs(decay.value(atUpdate: 2) - (1 - 1 / 1.5.squareRoot() / 1.5.squareRoot().squareRoot()))
        < 1e-15)
    #expect(decay.value(atUpdate: 10_000_000) == 0.9999)
    #expect(AveragingDecay(decay: 0.5, warmUp: nil).value(atUpdate: 1) == 0.5)
  }
}
