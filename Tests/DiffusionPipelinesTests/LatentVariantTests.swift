import DiffusionPipelines
import Foundation
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

  static func large() throws -> AssembledModel {
    let own = folder.appendingPathComponent("sdxl")
    var parts = [
      "vae/config.json": own.appendingPathComponent("vae/config.json"),
      "vae/diffusion_pytorch_model.safetensors": AssembledModel.pictures.appendingPathComponent(
        "vae/diffusion_pytorch_model.safetensors"),
    ]
    for part in ["unet", "text_encoder_2", "tokenizer_2", "scheduler", "model_index.json"] {
      parts[part] = own.appendingPathComponent(part)
    }
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
}
