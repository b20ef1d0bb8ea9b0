import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// Small networks of diffusers' `UNet2DModel` against full outputs of the reference; see Tests/Golden/make_unet.py.
@Suite struct UNetGoldenTests {
  /// One folder of the goldens.
  struct Golden {
    let network: UNet
    let file: SafetensorsFile
    let x: Tensor
    let timesteps: [Double]
    let classes: [Int]?
    let classVectors: Tensor?
    let output: Tensor

    init(_ name: String) throws {
      let folder = Shared.golden.appendingPathComponent("unet_\(name)").path
      var unknown: [String] = []
      network = try UNet(folder: folder, unknownKeys: &unknown)
      #expect(unknown.isEmpty)
      file = try SafetensorsFile(path: folder + "/golden.safetensors")
      x = try file.tensor(named: "sample").permuted([0, 2, 3, 1])
      output = try file.tensor(named: "output").permuted([0, 2, 3, 1])
      let fourier = network.configuration.timeEmbeddingType == .fourier
      timesteps =
        fourier
        ? try file.tensor(named: "timestep").doubles
        : try file.integers(named: "timestep").map(Double.init)
      let identity = network.configuration.classEmbedType == .identity
      classVectors = identity ? try file.tensor(named: "class_labels") : nil
      let hasLabels = file.entry(named: "class_labels") != nil && !identity
      classes = hasLabels ? try file.integers(named: "class_labels") : nil
    }

    func output(of network: UNet, _ x: Tensor, mode: ExecutionMode = .inference) -> Tensor {
      network(
        x, timesteps: timesteps, classes: classes, classVectors: classVectors, mode: mode)
    }
  }

  static let names = ["attention", "residual", "fourier", "learned", "skip"]

  @Test(arguments: names) func outputAgrees(_ name: String) throws {
    let golden = try Golden(name)
    expectClose(
      golden.output(of: golden.network, golden.x), golden.output, tolerance: 2e-5, name)
  }

  /// The goldens can see every block: leaving one out moves the output by more than 5 % of its largest value.
  @Test(arguments: names) func noBlockIsHidden(_ name: String) throws {
    let path = Shared.golden.appendingPathComponent("unet_\(name)/shares.json")
    let shares = try JSONDecoder().decode(
      [String: Double].self, from: Data(contentsOf: path))
    #expect(shares.count >= 19)
    #expect(try #require(shares.values.min()) > 0.05)
  }

  @Test func gradientsAgreeWithAutograd() throws {
    let golden = try Golden("attention")
    let seed = try golden.file.tensor(named: "seed").permuted([0, 2, 3, 1])
    for mode in [
      ExecutionMode.inference, ExecutionMode(dropout: nil, checkpointsActivations: true),
    ] {
      let tape = Tape()
      let (network, variables) = golden.network.watched(by: tape)
      let gradients = tape.gradients(
        of: golden.output(of: network, golden.x, mode: mode), seed: seed,
        withRespectTo: variables.map(\.tensor))
      let layouts = golden.network.parameterList()
      for ((parameter, gradient), name) in zip(zip(layouts, gradients), variables.map(\.name)) {
        #expect(parameter.name == name)
        let found = parameter.layout.file(ofMemory: gradient)
        if name.hasSuffix("to_k.bias") {
          // It adds the same to all scores of a query, which softmax does not see.
          #expect(found.magnitude().max().item < 1e-4, "\(name)")
        } else {
          let expected = try golden.file.tensor(named: "gradient.\(name)")
          expectClose(found, expected, tolerance: 1e-4, name)
        }
      }
    }
  }

  /// The same weights as PyTorch makes from a seed, all over the network.
  @Test(arguments: names) func initialisationAgrees(_ name: String) throws {
    let golden = try Golden(name)
    let network = try UNet(golden.network.configuration, seed: 5)
    for (parameter, (_, tensor)) in zip(network.parameterList(), network.parameters()) {
      let flat = parameter.layout.file(ofMemory: tensor).floats
      let expected = try golden.file.tensor(named: "initial.\(parameter.name)")
      expectClose(
        Tensor(Array(flat.prefix(4) + flat.suffix(4))), expected, tolerance: 1e-6, parameter.name)
    }
  }

  /// The same bytes for a sample in any batch and for any number of threads, forward and backward.
  @Test func bytesDependOnNeitherBatchNorThreads() throws {
    let golden = try Golden("attention")
    let before = Backend.threads
    defer { Backend.threads = before }
    let one = golden.x.sliced(axis: 0, 1..<2)
    let eight = Tensor.concatenated(
      [golden.x, one, golden.x, golden.x, golden.x.sliced(axis: 0, 0..<1)], axis: 0)
    let times = [17.0, 5, 987, 17, 1, 17, 3, 2]
    let labels = [3, 4, 10, 3, 1, 3, 2, 1]
    var seen: [[Float]] = []
    for threads in [1, 2, 8] {
      Backend.threads = threads
      let whole = golden.network(eight, timesteps: times, classes: labels)
      let single = golden.network(one, timesteps: [987], classes: [10])
      #expect(whole.sliced(axis: 0, 2..<3).floats == single.floats, "\(threads) threads")
      seen.append(whole.floats)
    }
    #expect(seen[0] == seen[1] && seen[1] == seen[2])
  }
}
