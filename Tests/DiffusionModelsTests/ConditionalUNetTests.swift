import DiffusionModels
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// Small conditional U-Nets against the reference's full outputs.
@Suite struct ConditionalUNetTests {
  static let names = ["sd1", "sd2", "sdxl", "inpainting", "upscaler", "consistency"]

  static func network(_ golden: LatentGolden) throws -> ConditionalUNet {
    let configuration = try golden.configuration(ConditionalUNetConfiguration.self)
    var unset = ParameterInitializer.unset
    var network = ConditionalUNet(configuration, initializer: &unset)
    try network.load(from: try golden.weights)
    return network
  }

  static func extras(_ golden: LatentGolden, samples: Range<Int> = 0..<2) throws
    -> ConditionalUNet.Extras
  {
    func tensor(_ name: String) throws -> Tensor? {
      golden.file.entry(named: name) == nil
        ? nil : try golden.tensor(name).sliced(axis: 0, samples)
    }
    let sizes = try tensor("sizes")?.doubles
    return ConditionalUNet.Extras(
      classes: try tensor("classes")?.doubles, text: try tensor("words"),
      sizes: sizes.map { values in
        stride(from: 0, to: values.count, by: 6).map { Array(values[$0..<$0 + 6]) }
      },
      guidance: try tensor("guidance"))
  }

  @Test(arguments: names) func outputAgrees(_ name: String) throws {
    let golden = try LatentGolden(name)
    let network = try Self.network(golden)
    let output = network(
      try golden.picture("x"), timesteps: try golden.tensor("timesteps").doubles,
      text: try golden.tensor("text"), extras: try Self.extras(golden))
    expectClose(output, try golden.picture("output"), tolerance: 5e-5, name)
  }

  /// A sample by itself has the bytes that it has in a batch.
  /// A text's keys and values are kept between evaluations, until it is another one.
  @Test(arguments: names) func aTextIsKnownAgain(_ name: String) throws {
    let golden = try LatentGolden(name)
    let (x, times) = (try golden.picture("x"), try golden.tensor("timesteps").doubles)
    let extras = try Self.extras(golden)
    func answer(_ network: ConditionalUNet, _ text: Tensor) -> [Float] {
      network(x, timesteps: times, text: text, extras: extras).floats
    }
    let network = try Self.network(golden)
    var text = try golden.tensor("text")
    let first = answer(network, text)
    #expect(answer(network, text) == first)
    text = text.detached
    text.withMutableElements(as: Float.self) { $0[0] += 1 }
    let other = answer(network, text)
    #expect(other != first)
    #expect(other == answer(try Self.network(golden), text))
  }

  @Test(arguments: names) func bytesDoNotDependOnTheBatch(_ name: String) throws {
    let golden = try LatentGolden(name)
    let network = try Self.network(golden)
    let (x, text) = (try golden.picture("x"), try golden.tensor("text"))
    let times = try golden.tensor("timesteps").doubles
    let both = network(x, timesteps: times, text: text, extras: try Self.extras(golden))
    let second = network(
      x.sliced(axis: 0, 1..<2), timesteps: [times[1]], text: text.sliced(axis: 0, 1..<2),
      extras: try Self.extras(golden, samples: 1..<2))
    #expect(both.sliced(axis: 0, 1..<2).floats == second.floats)
  }
}

extension ConditionalUNetTests {
  /// With the features of the very evaluation, the small part of the work gives the answer's bytes; with those of another
  /// timestep it does not.
  @Test(arguments: names) func deepFeaturesServe(_ name: String) throws {
    let golden = try LatentGolden(name)
    let network = try Self.network(golden)
    let (x, text) = (try golden.picture("x"), try golden.tensor("text"))
    let (times, extras) = (try golden.tensor("timesteps").doubles, try Self.extras(golden))
    func whole(_ times: [Double]) -> (answer: Tensor, deep: Tensor) {
      network.answer(x, timesteps: times, text: text, extras: extras)
    }
    func reused(_ deep: Tensor) -> [Float] {
      network.answer(x, timesteps: times, text: text, extras: extras, deep: deep).floats
    }
    let (answer, deep) = whole(times)
    #expect(reused(deep) == answer.floats)
    #expect(reused(whole(times.map { $0 + 20 }).deep) != answer.floats)
  }
}
