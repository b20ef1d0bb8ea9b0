import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Which activation a text encoder without a configuration has.
@Suite struct TextActivationTests {
  /// The first tensors of an encoder of a width, under transformers' names or OpenCLIP's.
  private static func source(
    _ width: Int, isOpen: Bool, prefix: String = "", isOpenAIs: Bool = false
  ) throws -> any CheckpointSource {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString + ".safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var writer = CheckpointWriter()
    let names =
      isOpen
      ? ("positional_embedding", "token_embedding.weight", "transformer.resblocks.0.ln_1.weight")
      : (
        "text_model.embeddings.position_embedding.weight",
        "text_model.embeddings.token_embedding.weight",
        "text_model.encoder.layers.0.layer_norm1.weight"
      )
    writer.add(prefix + names.0, .zeros([77, width]))
    writer.add(prefix + names.1, .zeros([9, width]))
    writer.add(prefix + names.2, .zeros([width]))
    if isOpenAIs {
      for name in ["input_resolution", "context_length", "vocab_size"] {
        writer.add(name, .zeros([1]))
      }
    }
    try writer.write(to: path)
    return try SafetensorsFile(path: path)
  }

  /// Stable Diffusion 1 and SDXL's first encoder, Stable Diffusion 2 and SDXL's second under their files' names and under those
  /// of stable-diffusion.cpp, LAION's encoders of OpenAI's widths, OpenAI's own archives.
  @Test(arguments: [
    ("cond_stage_model.transformer.", 768, false, CLIPActivation.quickGELU),
    ("conditioner.embedders.0.transformer.", 768, false, .quickGELU),
    ("cond_stage_model.model.", 1024, true, .gelu),
    ("conditioner.embedders.1.model.", 1280, true, .gelu),
    ("conditioner.embedders.0.model.", 1280, true, .gelu),
    ("cond_stage_model.transformer.", 1024, false, .gelu), ("", 1280, false, .gelu),
    ("", 512, true, .gelu), ("", 768, true, .gelu),
  ])
  func activationFollowsFromNames(
    _ prefix: String, _ width: Int, _ isOpen: Bool, _ activation: CLIPActivation
  ) throws {
    let source = try Self.source(width, isOpen: isOpen, prefix: prefix)
    let found = try #require(CLIPConfiguration.text(shapesOf: source, under: prefix))
    #expect(found.configuration.activation == activation)
  }

  @Test func archivesOfOpenAIHaveTheQuickOne() throws {
    let source = try Self.source(768, isOpen: true, isOpenAIs: true)
    let found = try #require(CLIPConfiguration.text(shapesOf: source))
    #expect(found.configuration.activation == .quickGELU)
  }

  /// A pair has the one that is asked for in both of its halves.
  @Test func pairsTakeTheOneThatIsAskedFor() throws {
    let golden = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("clip/openai_vit.safetensors").path)
    let source = try MappedCheckpoint(
      CheckpointPart(golden, under: "model."), map: KeyMap(prefixes: [KeyMap.Prefix("model.", "")]))
    for activation in CLIPActivation.allCases {
      let pair = try #require(CLIPPair(shapesOf: source, activation: activation))
      #expect(pair.text.configuration.activation == activation)
      guard case .transformer(let encoder, _) = pair.picture else {
        Issue.record("no transformer")
        continue
      }
      #expect(encoder.configuration.activation == activation)
    }
  }
}
