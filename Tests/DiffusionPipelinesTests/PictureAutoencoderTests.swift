import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Autoencoders by themselves, of every kind and layout.
@Suite struct PictureAutoencoderTests {
  private func read(
    _ path: String, _ half: PictureAutoencoder.Half
  ) throws -> PictureAutoencoder {
    var notes: [String] = []
    return try PictureAutoencoder(path: path, for: half, notes: &notes)
  }

  @Test(.enabled(if: Shared.isPresent, "\(Shared.absence)"), arguments: ["safetensors", "pth"])
  func tinyAutoencodersGiveTheReferencesPicture(_ ending: String) throws {
    let weights = Shared.folder.appendingPathComponent("weights")
    func path(_ name: String) -> String { weights.appendingPathComponent(name).path }
    let golden = try SafetensorsFile(path: path("taef2_golden.safetensors"))
    let encoder = try read(path("taef2_encoder.\(ending)"), .encoding)
    let latent = encoder.encode(try Image(reading: path("taef2_input.png")))
    let expected = try golden.tensor(named: "latent").permuted([0, 2, 3, 1])
    expectClose(latent, expected, tolerance: 1e-3)
    let decoder = try read(path("taef2_decoder.\(ending)"), .decoding)
    #expect(decoder.reduction == 8 && decoder.latentChannels == 32)
    let image = decoder.decode(expected)[0]
    let picture = try golden.tensor(named: "decoded").permuted([0, 2, 3, 1]).doubles
    let worst = zip(image.samples, picture).map { abs(Double($0) - max(0, min(255, $1 * 255))) }
    #expect((worst.max() ?? 255) < 0.5 + 0.255, "off by \(worst.max() ?? -1) of 255")
    let error = #expect(throws: PipelineError.self) {
      try read(path("taef2_decoder.\(ending)"), .encoding)
    }
    #expect(error?.description.contains("give the encoder's file") == true)
  }

  /// A model's folder, its vae and the bare file are one autoencoder, but for the scale that only a configuration says.
  @Test func variationalAutoencodersAreFoundInEveryLayout() throws {
    let model = Shared.golden.appendingPathComponent("pipeline_text").path
    let image = try Image(reading: Shared.golden.appendingPathComponent("pictures/full.jpg").path)
      .cropped(width: 32, height: 20)
    let latents = try [model, model + "/vae"].map { try read($0, .encoding).encode(image) }
    #expect(latents[0].shape == [1, 5, 8, 4] && latents[0].floats == latents[1].floats)
    let again = try read(model + "/vae", .decoding).decode(latents[0])
    #expect(again.count == 1 && again[0].width == 32 && again[0].height == 20)
  }

  @Test func whatIsNoAutoencoderSaysSo() throws {
    for (path, words) in [
      (Shared.golden.path, "found neither"), ("/nowhere", "no such file"),
      (Shared.golden.appendingPathComponent("latent/clip.safetensors").path, "autoencoder"),
      (Shared.golden.appendingPathComponent("clip/folder").path, "found clip"),
    ] {
      let error = #expect(throws: PipelineError.self) { try read(path, .encoding) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }
}
