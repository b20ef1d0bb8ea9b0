import DiffusionImages
import DiffusionPipelines
import TensorCore
import TestSupport
import Testing

/// Unconditional latent diffusion over a vector-quantised autoencoder, against the reference's pictures; see
/// make_latent_images.py.
@Suite struct LatentImageTests {
  @Test func picturesAgree() async throws {
    let folder = Shared.golden.appendingPathComponent("pipeline_vq")
    let location = ModelLocation.path(folder.path)
    var notes: [String] = []
    let model = try location.load(notes: &notes)
    let pipeline = ImagePipeline(model: model, decoder: try location.decoder(notes: &notes))
    #expect(notes.isEmpty, "\(notes)")
    var pictures: [Image] = []
    let request = ImageRequest(
      classes: [nil, nil], steps: 6, sampler: "ddim", guidance: 1, seed: 3, batchSize: 2)
    for try await step in try pipeline.generate(request) {
      #expect(step.images[0].width == 24 && step.images[0].height == 16)
      if step.finishesBatch { pictures += step.images }
    }
    try expectPictures(
      pictures, "pictures", in: folder.appendingPathComponent("pictures.safetensors"))
  }

  @Test func modelsOfPixelsHaveNoDecoder() throws {
    var notes: [String] = []
    let decoder = try ModelLocation.embedded.decoder(notes: &notes)
    #expect(decoder == nil)
  }
}
