import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// Adapters of models with two text encoders, as SDXL has them.
@Suite struct TwoEncoderAdapterTests {
  /// The small model with a second encoder of width 16, whose configuration says 2 for the end token.
  private func model() throws -> LatentModel {
    let plain = try LatentPipelineTests.model(scheduler: "ddim")
    var configuration = plain.texts[0].encoder.configuration
    (configuration.width, configuration.innerWidth, configuration.heads) = (16, 20, 2)
    (configuration.projectionWidth, configuration.endToken) = (16, 2)
    var initializer = ParameterInitializer(seed: 4)
    let second = CLIPTextEncoder(configuration, hasProjection: true, initializer: &initializer)
    return LatentModel(
      unet: plain.unet, autoencoder: plain.autoencoder,
      texts: [
        plain.texts[0],
        LatentModel.TextPart(tokenizer: plain.texts[0].tokenizer, encoder: second),
      ], process: plain.process)
  }

  private func written(_ tensors: [(String, Tensor)], _ name: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appendingPathComponent(name).path
    var writer = CheckpointWriter()
    for (name, tensor) in tensors { writer.add(name, tensor) }
    try writer.write(to: path)
    return path
  }

  @Test func eachEncoderGetsTheVectorsOfItsWidth() throws {
    let path = try written(
      [
        ("clip_g", Sample.uniform([2, 16], seed: 1)), ("clip_l", Sample.uniform([2, 24], seed: 2)),
      ],
      "word.safetensors")
    let plain = try model()
    let changed = try plain.addingWords(from: [path])
    for (before, after) in zip(plain.texts, changed.texts) {
      let count = before.encoder.configuration.vocabularySize
      #expect(after.tokenizer.ids(of: "word") == [count, count + 1])
      let table = try #require(
        after.encoder.parameters().first { $0.name == "embeddings.token_embedding.weight" })
      #expect(table.tensor.shape[0] == count + 2)
    }
    // The end is that of the vocabulary, though the learned tokens are larger.
    let encoder = changed.texts[1].encoder
    let count = encoder.configuration.vocabularySize
    let output = encoder([[count - 2, count, count + 1, count - 1, 0]])
    #expect(output.pooled.doubles == output.last.sliced(axis: 1, 3..<4).doubles)
  }

  @Test func theSecondEncoderHasChangesOfItsOwn() throws {
    let layer = "lora_te2_text_model_encoder_layers_1_mlp_fc1"
    let down = Sample.uniform([3, 16], seed: 3)
    let up = Sample.uniform([20, 3], seed: 4)
    let path = try written(
      [("\(layer).lora_down.weight", down), ("\(layer).lora_up.weight", up)], "te2.safetensors")
    let plain = try model()
    let changed = try plain.applying([LoRAFile(path: path, weight: 0.5)])
    let name = "encoder.layers.1.mlp.fc1.weight"
    for (index, (before, after)) in zip(plain.texts, changed.texts).enumerated() {
      for (old, new) in zip(before.encoder.parameters(), after.encoder.parameters()) {
        if index == 1, old.name == name {
          let change = Tensor.linearCombination([(1, new.tensor), (-1, old.tensor)])
          let expected = up.converted(to: .float32).matmul(down.converted(to: .float32)) * 0.5
          expectClose(change, expected, tolerance: 1e-5)
        } else {
          #expect(old.tensor.doubles == new.tensor.doubles)
        }
      }
    }
  }
}
