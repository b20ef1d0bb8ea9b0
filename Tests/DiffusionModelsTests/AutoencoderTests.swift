import DiffusionModels
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// Autoencoders against the reference's full outputs.
@Suite struct AutoencoderTests {
  static func kl() throws -> (LatentGolden, KLAutoencoder) {
    let golden = try LatentGolden("kl")
    var unset = ParameterInitializer.unset
    var model = KLAutoencoder(
      try golden.configuration(AutoencoderConfiguration.self), initializer: &unset)
    try model.load(from: try golden.weights)
    return (golden, model)
  }

  @Test func encodesAndDecodes() throws {
    let (golden, model) = try Self.kl()
    let posterior = model.encode(try golden.picture("picture"))
    expectClose(posterior.mean, try golden.picture("mean"), tolerance: 5e-5)
    expectClose(posterior.logVariance, try golden.picture("log_variance"), tolerance: 5e-5)
    let latent = try golden.picture("latent")
    expectClose(model.decode(latent), try golden.picture("decoded"), tolerance: 5e-5)
    #expect(model.decodeSlices(latent).floats == model.decode(latent).floats)
  }

  @Test func tilesAgree() throws {
    let (golden, model) = try Self.kl()
    let tiling = model.usualTiling
    #expect(tiling.latentSide == 8)
    expectClose(
      model.decode(try golden.picture("wide"), tiling: tiling), try golden.picture("tiled"),
      tolerance: 5e-5)
    expectClose(
      model.encode(try golden.picture("big"), tiling: tiling).mean,
      try golden.picture("tiled_mean"), tolerance: 5e-5)
  }

  @Test func scalingIsUndone() throws {
    let (_, model) = try Self.kl()
    let latent = Sample.uniform([1, 2, 2, 4], seed: 1).converted(to: .float32)
    expectClose(model.unscaled(model.scaled(latent)), latent, tolerance: 1e-6)
    expectClose(model.scaled(latent), latent * 0.18215, tolerance: 1e-6)
  }

  @Test func quantises() throws {
    let golden = try LatentGolden("vq")
    var unset = ParameterInitializer.unset
    var model = VQAutoencoder(
      try golden.configuration(AutoencoderConfiguration.self), initializer: &unset)
    try model.load(from: try golden.weights)
    expectClose(
      model.encode(try golden.picture("picture")), try golden.picture("encoded"), tolerance: 5e-5)
    expectClose(
      model.decode(try golden.picture("latent")), try golden.picture("decoded"), tolerance: 5e-5)
  }

  @Test func tinyAutoencoderAgrees() throws {
    let golden = try LatentGolden("tiny")
    var unset = ParameterInitializer.unset
    var model = TinyAutoencoder(
      try golden.configuration(TinyAutoencoderConfiguration.self), initializer: &unset)
    try model.load(from: try golden.weights)
    expectClose(
      model.encode(try golden.picture("picture")), try golden.picture("encoded"), tolerance: 5e-5)
    expectClose(
      model.decode(try golden.picture("latent")), try golden.picture("decoded"), tolerance: 5e-5)
  }

  /// The real weights of TAEF2 on a real picture. Its repository keeps pictures in 0...1.
  @Test(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
  func realTinyAutoencoderAgrees() throws {
    func file(_ name: String) throws -> SafetensorsFile {
      try SafetensorsFile(path: Shared.folder.appendingPathComponent("weights/\(name)").path)
    }
    var unset = ParameterInitializer.unset
    var model = TinyAutoencoder(.taef2, initializer: &unset)
    try model.loadEncoder(from: try file("taef2_encoder.safetensors"))
    try model.loadDecoder(from: try file("taef2_decoder.safetensors"))
    let golden = try file("taef2_golden.safetensors")
    let picture = try pixels(
      Shared.folder.appendingPathComponent("weights/taef2_input.png").path)
    let latent = try golden.tensor(named: "latent").permuted([0, 2, 3, 1])
    let decoded = try golden.tensor(named: "decoded").permuted([0, 2, 3, 1])
    expectClose(model.encode(picture), latent, tolerance: 1e-3)
    expectClose(model.decode(latent).scaled(by: 0.5, plus: 0.5), decoded, tolerance: 1e-3)
  }
}
