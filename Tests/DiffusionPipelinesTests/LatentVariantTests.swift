import DiffusionImages
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorLayers
import TestSupport
import Testing

/// Pictures of Stable Diffusion 2's and SDXL's kind of model, against the reference's; see make_text_pipelines.py.
@Suite struct LatentVariantTests {
  static let folder = Shared.golden.appendingPathComponent("pipeline_variants")
  static let golden = folder.appendingPathComponent("pictures.safetensors")

  static func secondVersion(_ scheduler: String) throws -> AssembledModel {
    let own = folder.appendingPathComponent("sd2")
    return try AssembledModel([
      "unet": own.appendingPathComponent("unet"),
      "text_encoder": own.appendingPathComponent("text_encoder"),
      "scheduler": own.appendingPathComponent(scheduler),
      "vae": AssembledModel.pictures.appendingPathComponent("vae"),
    ])
  }

  static func large(scheduler: URL? = nil) throws -> AssembledModel {
    let own = folder.appendingPathComponent("sdxl")
    var parts = [
      "vae/config.json": own.appendingPathComponent("vae/config.json"),
      "vae/diffusion_pytorch_model.safetensors": AssembledModel.pictures.appendingPathComponent(
        "vae/diffusion_pytorch_model.safetensors"),
    ]
    for part in ["unet", "text_encoder_2", "tokenizer_2", "scheduler", "model_index.json"] {
      parts[part] = own.appendingPathComponent(part)
    }
    if let scheduler { parts["scheduler"] = scheduler }
    return try AssembledModel(parts)
  }

  @Test(arguments: [("ddim", "scheduler"), ("euler", "schedulers/euler")])
  func velocity(_ name: String, _ scheduler: String) async throws {
    let model = try Self.secondVersion(scheduler)
    let found = try await model.draw(try model.request(width: 40, height: 32))
    try expectPictures(found, "sd2.\(name)", in: Self.golden)
  }

  @Test func twoTextEncoders() async throws {
    let model = try Self.large()
    var request = try model.request(width: 40, height: 32)
    try expectPictures(try await model.draw(request), "sdxl", in: Self.golden)
    request.negative = ""
    try expectPictures(try await model.draw(request), "sdxl.no-negative", in: Self.golden)
  }

  @Test func twoTextEncodersFromAPicture() async throws {
    let model = try Self.large()
    let input = PictureInput(try AssembledModel.image("small"), strength: 0.7)
    try expectPictures(
      try await model.draw(try model.request(), from: input), "sdxl.image", in: Self.golden)
  }

  /// The refiner has the second encoder alone, and is told an aesthetic score.
  @Test func theRefinerOfAPicture() async throws {
    let (own, large) = (
      Self.folder.appendingPathComponent("refiner"), Self.folder.appendingPathComponent("sdxl")
    )
    var parts = [
      "vae/config.json": large.appendingPathComponent("vae/config.json"),
      "vae/diffusion_pytorch_model.safetensors": AssembledModel.pictures.appendingPathComponent(
        "vae/diffusion_pytorch_model.safetensors"),
      "unet": own.appendingPathComponent("unet"),
      "model_index.json": own.appendingPathComponent("model_index.json"),
    ]
    for part in ["text_encoder_2", "tokenizer_2", "scheduler"] {
      parts[part] = large.appendingPathComponent(part)
    }
    let model = try AssembledModel(parts, without: ["text_encoder", "tokenizer"])
    let input = PictureInput(try AssembledModel.image("small"), strength: 0.7)
    try expectPictures(
      try await model.draw(try model.request(), from: input), "refiner", in: Self.golden)
  }

  /// A1111's mixture of two seeds' noise, and a quarter of the way between two noises and two prompts.
  @Test func mixedNoisesAndTexts() async throws {
    let model = try AssembledModel([:], scheduler: AssembledModel.scheduler("ddim"))
    var request = try model.request(width: 40, height: 32, count: 1)
    request.variation = .init(seed: 9, strength: 0.3)
    try expectPictures(try await model.draw(request), "variation", in: Self.golden)
    request.variation = nil
    request.ending = .init(prompt: "dog and dog", seed: 9, at: 0.25)
    try expectPictures(try await model.draw(request), "film", in: Self.golden)
  }
}
