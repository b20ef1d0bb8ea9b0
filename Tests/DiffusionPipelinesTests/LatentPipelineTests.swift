import Diffusion
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Text to image from a small diffusers folder, against the reference's pictures; see make_pipelines.py.
@Suite struct LatentPipelineTests {
  static let folder = Shared.golden.appendingPathComponent("pipeline_text").path

  static func model(scheduler: String) throws -> LatentModel {
    var notes: [String] = []
    let loaded = try LatentModel(folder: folder, notes: &notes)
    #expect(notes.isEmpty, "\(notes)")
    let path = "\(folder)/schedulers/\(scheduler)/scheduler_config.json"
    let process = try ProcessConfiguration(json: try Data(contentsOf: URL(fileURLWithPath: path)))
    return LatentModel(
      unet: loaded.unet, autoencoder: loaded.autoencoder, texts: loaded.texts, process: process)
  }

  static func request(_ model: LatentModel, batch: Int = 2) throws -> TextRequest {
    TextRequest(
      prompt: "a red cat", negative: "dog", height: 32, width: 40,
      pictures: ImageRequest(
        classes: [nil, nil], steps: 6, sampler: try #require(model.process.solverName),
        options: model.process.solverOptions, guidance: 5, seed: 3, batchSize: batch))
  }

  static func draw(
    _ pipeline: LatentPipeline, _ request: TextRequest, from input: PictureInput? = nil
  ) async throws -> [Image] {
    var pictures: [Image] = []
    for try await step in try pipeline.generate(request, from: input) where step.finishesBatch {
      pictures += step.images
    }
    return pictures
  }

  /// No pixel is off by more than one of 255.
  @Test(arguments: ["pndm", "ddim", "euler", "heun", "dpm++2m", "unipc"])
  func picturesAgree(_ scheduler: String) async throws {
    let model = try Self.model(scheduler: scheduler)
    let pictures = try await Self.draw(LatentPipeline(model: model), try Self.request(model))
    let golden = try SafetensorsFile(path: Self.folder + "/pictures.safetensors")
    let expected = try golden.tensor(named: scheduler).doubles
    let found = pictures.flatMap(\.samples).map(Double.init)
    #expect(found.count == expected.count)
    let worst = zip(found, expected).map { abs($0 - ($1 * 255).rounded()) }.max() ?? .infinity
    #expect(worst <= 1, "off by \(worst) of 255")
  }

  @Test func picturesDoNotDependOnTheBatch() async throws {
    let model = try Self.model(scheduler: "ddim")
    let pipeline = LatentPipeline(model: model)
    let together = try await Self.draw(pipeline, try Self.request(model))
    let apart = try await Self.draw(pipeline, try Self.request(model, batch: 1))
    #expect(together == apart)
  }

  @Test func wordsAndWeightsShow() async throws {
    let model = try Self.model(scheduler: "ddim")
    let pipeline = LatentPipeline(model: model)
    var request = try Self.request(model)
    let plain = try await Self.draw(pipeline, request)
    for prompt in ["a red dog", "a (red:1.6) cat", "a red cat BREAK dog"] {
      request.prompt = prompt
      #expect(try await Self.draw(pipeline, request) != plain, "\(prompt)")
    }
    request.prompt = "a (red:1.0) cat"
    #expect(try await Self.draw(pipeline, request) == plain)
  }

  @Test func refusesASizeThatIsNoMultiple() throws {
    let model = try Self.model(scheduler: "ddim")
    var request = try Self.request(model)
    request.width = 30
    let error = try #require(throws: PipelineError.self) {
      try LatentPipeline(model: model).generate(request)
    }
    #expect(error.description == "width: expected a multiple of 4 above 0, found 30")
  }
}
