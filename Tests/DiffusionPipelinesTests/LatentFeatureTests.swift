import Diffusion
import DiffusionImages
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCore
import TestSupport
import Testing

/// What the pipeline does that no reference pipeline does: variations, films, second passes, previews, tiles.
@Suite struct LatentFeatureTests {
  static func request(
    _ model: AssembledModel, count: Int = 1, sampler: String = "ddim"
  ) throws -> TextRequest {
    var request = try model.request(width: 40, height: 32, count: count)
    request.pictures.steps = 3
    return request
  }

  @Test func variationsLieBetweenTwoNoises() async throws {
    let model = try AssembledModel.plain("ddim")
    var request = try Self.request(model)
    let own = try await model.draw(request)[0]
    request.variation = .init(seed: 9, strength: 0)
    #expect(try await model.draw(request)[0] == own)
    request.variation = .init(seed: 9, strength: 0.2)
    let near = try await model.draw(request)[0]
    request.variation = .init(seed: 9, strength: 1)
    let far = try await model.draw(request)[0]
    request.variation = nil
    request.pictures.seed = 9
    // At 1 the weights are sin(w) / sin(w) and 0, up to rounding.
    #expect(Self.distance(far, try await model.draw(request)[0]) <= 1)
    #expect(0 < Self.mean(near, own) && Self.mean(near, own) < Self.mean(far, own))
  }

  static func distance(_ one: Image, _ other: Image) -> Int {
    zip(one.samples, other.samples).map { abs(Int($0) - Int($1)) }.max() ?? 255
  }

  static func mean(_ one: Image, _ other: Image) -> Double {
    Double(zip(one.samples, other.samples).map { abs(Int($0) - Int($1)) }.reduce(0, +))
      / Double(one.samples.count)
  }

  /// All variations of a run have the request's own seed, and each another second one.
  @Test func variationsOfARunShareTheirSeed() async throws {
    let model = try AssembledModel.plain("ddim")
    var request = try Self.request(model, count: 2)
    request.variation = .init(seed: 9, strength: 0.3)
    let two = try await model.draw(request)
    #expect(request.seed(of: 1) == request.pictures.seed)
    request = try Self.request(model)
    request.variation = .init(seed: 10, strength: 0.3)
    #expect(try await model.draw(request)[0] == two[1])
  }

  @Test func filmsBeginAndEndWhereTheySay() async throws {
    let model = try AssembledModel.plain("ddim")
    var request = try Self.request(model, count: 3)
    request.ending = .init(prompt: "dog", seed: 9)
    let film = try await model.draw(request)
    var alone = try Self.request(model)
    #expect(Self.distance(film[0], try await model.draw(alone)[0]) <= 1)
    (alone.prompt, alone.pictures.seed) = ("dog", 9)
    #expect(Self.distance(film[2], try await model.draw(alone)[0]) <= 1)
    request = try Self.request(model)
    request.ending = .init(prompt: "dog", seed: 9, at: 0.5)
    #expect(try await model.draw(request)[0] == film[1])
  }

  @Test func aSecondPassCountsItsSteps() async throws {
    let model = try AssembledModel.plain("euler")
    var request = try Self.request(model, count: 2)
    request.refinement = .init(scale: 1.5, strength: 0.7)
    var steps: [(Int, Bool)] = []
    for try await step in try LatentPipeline(model: model.model).generate(request) {
      #expect(step.stepCount == 5)
      steps.append((step.stepsDone, step.finishesBatch))
      if step.finishesBatch {
        #expect(step.images.map(\.width) == [60, 60] && step.images[0].height == 48)
      }
    }
    #expect(
      steps.map(\.0) == [1, 2, 3, 4, 5] && steps.map(\.1) == [false, false, false, false, true])
  }

  /// A small network with random weights is not near linear, so what is tested is the normal equations of the fit: what it leaves
  /// is orthogonal to every channel and sums to nothing.
  @Test func previewsAreTheNearestLinearMap() async throws {
    let model = try AssembledModel.plain("ddim").model
    let picture = PixelModel.samples(of: [try AssembledModel.image("picture")])
    let preview = try LatentPreview(fitting: model.autoencoder, on: [picture])
    #expect(preview.weights.count == 5 && preview.weights.allSatisfy { $0.count == 3 })
    let latent = model.autoencoder.scaled(model.autoencoder.encode(picture).mean)
    let decoded = model.autoencoder.decode(model.autoencoder.unscaled(latent)).clamped(-1, 1)
    let colours = decoded.reshaped([16, 4, 20, 4, 3]).mean(axes: [1, 3]).reshaped([320, 3])
    let inputs = Tensor.concatenated(
      [latent.reshaped([320, 4]), Tensor.ones([320, 1])], axis: 1
    ).converted(to: .float64)
    let map = Tensor(preview.weights.flatMap(\.self), shape: [5, 3])
    let guess = inputs.matmul(map)
    let rest = colours.converted(to: .float64) - guess
    let products = inputs.matmul(rest, transposeA: true).magnitude().max().item
    let size = (inputs * inputs).sum().item * (rest * rest).sum().item
    // The decoder is asked again here, for unscaled latents: float32's rounding, not the fit's.
    #expect(products < 1e-5 * size.squareRoot())
    let shown = preview.images(of: latent)[0]
    #expect((shown.width, shown.height) == (20, 16))
    let expected = PixelModel.images(of: guess.reshaped([1, 16, 20, 3]))[0]
    #expect(Self.distance(shown, expected) <= 1)
  }

  @Test func theMapOfPreviewsIsKeptAndMadeAnewForAnotherModel() throws {
    let model = try AssembledModel.plain("ddim").model
    let folder = try TemporaryFolder()
    let fitted = try LatentPreview.kept(for: model.autoencoder, beside: folder.path)
    let file = folder.path + "/latent-preview.json"
    var kept = try JSONDecoder().decode(
      LatentPreview.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(kept == fitted)
    let stored = try String(contentsOfFile: file, encoding: .utf8)
    let first = "\(fitted.weights[0][0])"
    try folder.file("latent-preview.json", stored.replacing(first, with: "7"))
    kept = try LatentPreview.kept(for: model.autoencoder, beside: folder.path)
    #expect(kept.weights[0][0] == 7, "what was kept is not read")
    let other = try AssembledModel([:]).model
    kept = try LatentPreview.kept(for: other.autoencoder, beside: folder.path)
    #expect(kept == (try LatentPreview(fitting: other.autoencoder)))
  }

  /// Tiles as large as the latent are the whole; smaller ones come near it.
  @Test func tilesGiveThePicture() async throws {
    let model = try AssembledModel.plain("ddim")
    let request = try Self.request(model)
    let input = PictureInput(try AssembledModel.image("small"))
    let whole = try await model.draw(request, from: input)[0]
    for (side, most) in [(10, 0.0), (6, 40)] {
      var tiled = model.model
      tiled.autoencoder.tiling = AutoencoderTiling(latentSide: side)
      let pipeline = LatentPipeline(model: tiled)
      for try await step in try pipeline.generate(request, from: input)
      where step.finishesBatch {
        let distance = Self.mean(step.images[0], whole)
        #expect(distance <= most && (distance > 0) == (most > 0), "tiles of \(side): \(distance)")
      }
    }
  }

  @Test func roomIsFilledAndMasked() throws {
    let picture = try AssembledModel.image("small")
    let room = Outpainting(left: 6, top: 5, overlap: 3)
    let input = try room.input(for: picture, unit: 4, strength: 1, seed: 1)
    let mask = try #require(input.mask).image
    // 40 + 6 and 32 + 5 become 48 and 40: two more at the left, three more above.
    #expect((input.image.width, input.image.height) == (48, 40))
    #expect((mask.width, mask.height) == (48, 40))
    #expect(input.image[8, 8] == picture[0, 0] && input.image[47, 39] == picture[39, 31])
    #expect(input.image[3, 20] == picture[0, 12], "the edge is repeated")
    let row = (0..<48).map { mask[$0, 30, 0] }
    #expect(row[..<8].allSatisfy { $0 == 255 } && row[11...].allSatisfy { $0 == 0 })
    #expect(Array(row[8..<11]) == [191, 128, 64])
    let error = #expect(throws: PipelineError.self) {
      try Outpainting().input(for: picture, unit: 4, strength: 1, seed: 1)
    }
    #expect(
      error?.description
        == "left: no side has room; give --left, --right, --top or --bottom")
  }
}
