import Diffusion
import DiffusionImages
import DiffusionPipelines
import Foundation
import TestSupport
import Testing

/// More schedulers, models that are drawn with in few steps, and adapters of two text encoders, against diffusers' pictures; see
/// make_further_pictures.py.
@Suite struct FurtherPictureTests {
  static let folder = Shared.golden.appendingPathComponent("pipeline_further")

  static func expectGolden(_ found: [Image], _ name: String) throws {
    try expectPictures(found, name, in: folder.appendingPathComponent("pictures.safetensors"))
  }

  private static func mask() throws -> PaintMask {
    PaintMask(try AssembledModel.image("small-mask"), keepsOriginal: false)
  }

  @Test func imageToImageByPNDM() async throws {
    let model = try AssembledModel.plain("pndm")
    let input = PictureInput(try AssembledModel.image("small"), strength: 0.7)
    try Self.expectGolden(try await model.draw(try model.request(), from: input), "image.pndm")
  }

  /// The sampler of distilled models, on a picture, by an ordinary model that came with another scheduler.
  @Test(arguments: ["ddim", "pndm"])
  func imageToImageByLCM(_ scheduler: String) async throws {
    let model = try AssembledModel.plain(scheduler)
    var request = try model.request()
    (request.pictures.sampler, request.pictures.options) = ("lcm", SolverOptions())
    request.pictures.guidance = 1.8
    let input = PictureInput(try AssembledModel.image("small"), strength: 0.7)
    try Self.expectGolden(try await model.draw(request, from: input), "image.lcm")
  }

  /// A network that was distilled makes all steps whatever the strength.
  @Test func imageToImageByADistilledModel() async throws {
    let model = try AssembledModel([
      "vae": AssembledModel.pictures.appendingPathComponent("vae"),
      "unet": Shared.golden.appendingPathComponent("adapters/lcm_unet"),
      "scheduler": Self.folder.appendingPathComponent("lcm"),
    ])
    var request = try model.request()
    (request.pictures.steps, request.pictures.guidance) = (4, 8.5)
    var input = PictureInput(try AssembledModel.image("small"), strength: 0.6)
    try Self.expectGolden(try await model.draw(request, from: input), "image.lcm.distilled")
    (request.pictures.steps, input.strength) = (8, 0.1)
    let error = #expect(throws: PipelineError.self) {
      try LatentPipeline(model: model.model).generate(request, from: input)
    }
    #expect(error?.description.hasPrefix("strength: 0.1 of the 50 timesteps") == true)
  }

  @Test func inpaintingWithoutChannelsByPNDM() async throws {
    let model = try AssembledModel.plain("pndm")
    let input = PictureInput(
      try AssembledModel.image("small"), strength: 0.7, mask: try Self.mask())
    try Self.expectGolden(try await model.draw(try model.request(), from: input), "held.pndm")
  }

  @Test(arguments: ["pndm", "unipc", "heun"])
  func inpaintingWithChannels(_ scheduler: String) async throws {
    let model = try AssembledModel.inpainting(scheduler)
    let input = PictureInput(try AssembledModel.image("small"), strength: 1, mask: try Self.mask())
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "inpainting.\(scheduler)")
  }

  @Test(arguments: ["euler", "dpm++2m", "heun", "unipc", "pndm"])
  func upscaling(_ scheduler: String) async throws {
    let model = try AssembledModel.upscaler(
      Self.folder.appendingPathComponent("upscaler/\(scheduler)"))
    let input = PictureInput(try AssembledModel.image("tiny"))
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "upscaler.\(scheduler)")
  }

  /// No guidance, whether the number is 0 or 0.5, over timesteps from the last one on.
  @Test(arguments: [
    ("sd-turbo", 1, 0, "1"), ("sd-turbo", 4, 0, "4"), ("sdxl-turbo", 1, 0, "1"),
    ("sdxl-turbo", 4, 0, "4"), ("sdxl-turbo", 4, 0.5, "half"),
  ])
  func fewSteps(_ name: String, _ steps: Int, _ guidance: Double, _ golden: String) async throws {
    let scheduler = Self.folder.appendingPathComponent(name)
    let model =
      name == "sd-turbo"
      ? try AssembledModel([:], scheduler: scheduler)
      : try LatentVariantTests.large(scheduler: scheduler)
    var request = try model.request(width: 40, height: 32)
    (request.pictures.steps, request.pictures.guidance) = (steps, guidance)
    try Self.expectGolden(try await model.draw(request), "\(name).\(golden)")
  }

  /// The same numbers under kohya's, diffusers' and peft's names; the last two have alpha in them.
  @Test(arguments: ["kohya", "diffusers", "peft"])
  func adaptersOfTwoTextEncoders(_ name: String) async throws {
    let model = try LatentVariantTests.large()
    let file = LoRAFile(
      path: Self.folder.appendingPathComponent("\(name).safetensors").path, weight: 0.8)
    let request = try model.request(width: 40, height: 32)
    let found = try await LatentPipelineTests.draw(
      LatentPipeline(model: try model.model.applying([file])), request)
    try Self.expectGolden(found, "sdxl.lora")
  }
}
