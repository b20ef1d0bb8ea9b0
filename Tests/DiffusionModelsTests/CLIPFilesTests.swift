import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// CLIP under OpenAI's own names, against a network written independently; see make_clip.py.
@Suite struct CLIPFilesTests {
  static func path(_ name: String) -> String {
    Shared.golden.appendingPathComponent("clip/\(name)").path
  }

  /// The weights of a golden without its inputs and outputs.
  private static func weights(_ file: SafetensorsFile) throws -> any CheckpointSource {
    try MappedCheckpoint(
      CheckpointPart(file, under: "model."), map: KeyMap(prefixes: [KeyMap.Prefix("model.", "")]))
  }

  private func expectAgreement(_ pair: CLIPPair, with golden: SafetensorsFile) throws {
    let tokens = try golden.tensor(named: "tokens")
    let rows = tokens.split(axis: 0, into: tokens.shape[0]).map { $0.doubles.map { Int($0) } }
    let texts = pair.embedded(texts: rows)
    let pictures = pair.embedded(
      pictures: try golden.tensor(named: "pixels").permuted([0, 2, 3, 1]))
    expectClose(texts, try golden.tensor(named: "texts"), tolerance: 2e-5)
    expectClose(pictures, try golden.tensor(named: "pictures"), tolerance: 2e-5)
    // Cosines to the rounding of vectors of 20, times the scale exp(2.5).
    expectClose(
      pair.logits(pictures: pictures, texts: texts), try golden.tensor(named: "logits"),
      tolerance: 2e-4)
  }

  @Test(arguments: ["openai_vit", "openai_resnet"])
  func vectorsAgree(_ name: String) throws {
    let golden = try SafetensorsFile(path: Self.path("\(name).safetensors"))
    let source = try Self.weights(golden)
    var pair = try #require(CLIPPair(shapesOf: source))
    try pair.loadParameters(from: source)
    try expectAgreement(pair, with: golden)
    switch pair.picture {
    case .transformer(let encoder, _):
      #expect(name == "openai_vit" && encoder.configuration.imageSize == 16)
    case .residual(let network):
      #expect(name == "openai_resnet")
      #expect(
        network.configuration
          == CLIPResNetConfiguration(
            stages: [1, 2, 1, 1], width: 4, projectionWidth: 20, imageSize: 64))
    }
  }

  /// As OpenAI publishes its models: an archive of TorchScript, whose code is not looked at.
  @Test func scriptedArchivesAreReadAsData() throws {
    let archive = try TorchFile(path: Self.path("openai_scripted.pt"))
    #expect(archive.entry(named: "visual.transformer.resblocks.0.attn.in_proj_weight") != nil)
    #expect(try archive.integers(named: "input_resolution") == [16])
    var pair = try #require(CLIPPair(shapesOf: archive))
    try pair.loadParameters(from: archive)
    try expectAgreement(
      pair, with: SafetensorsFile(path: Self.path("openai_scripted.safetensors")))
  }

  @Test func aMissingTensorIsNamed() throws {
    let golden = try SafetensorsFile(path: Self.path("openai_resnet.safetensors"))
    let source = try Self.weights(golden)
    var pair = try #require(CLIPPair(shapesOf: source))
    let cut = CheckpointPart(
      try #require(source as? MappedCheckpoint<CheckpointPart<SafetensorsFile>>), under: "",
      excluding: ["visual.layer2.1.bn3.running_var"])
    let error = #expect(throws: CheckpointError.self) { try pair.loadParameters(from: cut) }
    #expect(error?.description.contains("visual.layer2.1.bn3.running_var") == true)
  }

  @Test func everyStoredTensorIsListed() throws {
    let golden = try SafetensorsFile(path: Self.path("openai_resnet.safetensors"))
    let pair = try #require(CLIPPair(shapesOf: try Self.weights(golden)))
    #expect(storedTensorCount(pair) == pair.parameters().count)
  }
}
