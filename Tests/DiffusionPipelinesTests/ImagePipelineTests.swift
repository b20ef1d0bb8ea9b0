import Diffusion
import DiffusionModels
import DiffusionPipelines
import TensorCore
import TestSupport
import Testing

@Suite struct ImagePipelineTests {
  static let classes: [Int?] = [0, 1, 2, nil, 2]

  static func request(batch: Int = 16, count: Int = 5) -> ImageRequest {
    ImageRequest(
      classes: Array(classes[..<count]), steps: 3, sampler: "ddpm", guidance: 2.5, seed: 40,
      batchSize: batch)
  }

  @Test func picturesDependOnTheirSeedsAlone() async throws {
    let pipeline = ImagePipeline(model: try SmallModel.classes())
    let whole = try await pipeline.pictures(Self.request())
    #expect(whole.shape == [5, 8, 8, 3])
    for other in [Self.request(batch: 1), Self.request(batch: 2), Self.request(count: 3)] {
      let found = try await pipeline.pictures(other).floats
      #expect(found == Array(whole.floats[..<found.count]))
    }
    let alone = ImageRequest(
      classes: [nil], steps: 3, sampler: "ddpm", guidance: 2.5, seed: 43)
    #expect(try await pipeline.pictures(alone).floats == Array(whole.floats[576..<768]))
  }

  @Test func guidanceAndClassesMatter() async throws {
    let pipeline = ImagePipeline(model: try SmallModel.classes())
    func picture(_ wanted: Int?, _ guidance: Double) async throws -> [Float] {
      try await pipeline.pictures(
        ImageRequest(classes: [wanted], steps: 3, guidance: guidance, seed: 1)
      ).floats
    }
    let plain = try await picture(1, 1)
    #expect(try await picture(2, 1) != plain)
    #expect(try await picture(1, 4) != plain)
    #expect(try await picture(nil, 1) != plain)
  }

  @Test func stepsCountOverAllBatches() async throws {
    let pipeline = ImagePipeline(model: try SmallModel.classes())
    var seen: [(Range<Int>, Int, Bool)] = []
    for try await step in try pipeline.generate(Self.request(batch: 2)) {
      seen.append((step.pictures, step.step, step.finishesBatch))
      #expect(step.stepsDone == seen.count && step.stepCount == 9)
      #expect(step.images.count == step.pictures.count && step.images[0].channels == 3)
      #expect(step.denoised.magnitude().max().item <= 1)
    }
    #expect(seen.map(\.0.lowerBound) == [0, 0, 0, 2, 2, 2, 4, 4, 4])
    #expect(seen.map(\.1) == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(seen.map(\.2) == (0..<9).map { $0 % 3 == 2 })
  }

  /// Of a sampler that chooses its own steps, legs are counted, of which there are as many as are said.
  @Test func legsOfAdaptiveSamplersAreCounted() async throws {
    let pipeline = ImagePipeline(model: try SmallModel.classes())
    var request = Self.request(batch: 1, count: 2)
    request.sampler = "rk45"
    (request.options.relativeTolerance, request.options.absoluteTolerance) = (0.3, 0.3)
    var (seen, attempts) = ([Int](), 0)
    for try await step in try pipeline.generate(request) {
      if seen.last != step.stepsDone { seen.append(step.stepsDone) }
      attempts += 1
      #expect(step.stepsDone <= step.stepCount)
      #expect(!step.finishesBatch || step.stepsDone % 2 == 0)
    }
    #expect(seen == [1, 2, 3, 4] && attempts > 4, "\(seen), \(attempts)")
  }

  @Test func aCancelledTaskStopsWithinAStep() async throws {
    let pipeline = ImagePipeline(model: try SmallModel.classes())
    let task = Task { () -> String in
      do {
        for try await step in try pipeline.generate(Self.request()) where step.step == 1 {
          withUnsafeCurrentTask { $0?.cancel() }
        }
      } catch PipelineError.cancelled(let step) {
        return "before step \(step)"
      }
      return "finished"
    }
    #expect(try await task.value == "before step 2")
  }

  @Test func samplesAreRoundedToBytes() {
    let samples = Tensor([Float(-1), -3, 1, 0, 0.2, 0.9999], shape: [1, 1, 2, 3])
    #expect(PixelModel.images(of: samples)[0].samples == [0, 0, 255, 128, 153, 255])
  }

  @Test(arguments: [
    (ImageRequest(classes: [], seed: 0), "count: expected 1 or more, found 0"),
    (ImageRequest(classes: [3], seed: 0), "class: expected 0 to 2, found 3"),
    (ImageRequest(classes: [-1], seed: 0), "class: expected 0 to 2, found -1"),
    (
      ImageRequest(classes: [0], steps: 0, seed: 0),
      "steps: expected 1 to 1000, the timesteps of the model, found 0"
    ),
    (
      ImageRequest(classes: [0], sampler: "ddim", options: SolverOptions(eta: 2), seed: 0),
      "eta: expected 0 to 1, found 2.0"
    ),
    (
      ImageRequest(classes: [0], options: SolverOptions(eta: 1), seed: 0),
      "eta: the sampler ddpm has no such option; it has none"
    ),
    (
      ImageRequest(classes: [0], sampler: "magic", seed: 0),
      "sampler: there is none named magic; `diffusion samplers` lists those that there are"
    ),
    (ImageRequest(classes: [0], seed: 0, batchSize: 0), "batch: expected 1 or more, found 0"),
  ])
  func refusesWhatCannotBe(_ request: ImageRequest, _ message: String) throws {
    let pipeline = ImagePipeline(model: try SmallModel.classes())
    let error = try #require(throws: PipelineError.self) { try pipeline.generate(request) }
    #expect(error.description == message)
  }

  @Test func refusesAClassWhereThereAreNone() throws {
    let pipeline = ImagePipeline(model: try SmallModel.unconditional())
    let error = try #require(throws: PipelineError.self) {
      try pipeline.generate(ImageRequest(classes: [1], seed: 0))
    }
    #expect(error.description == "class: the model knows no classes; leave it out")
  }
}
