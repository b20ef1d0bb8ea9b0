import ArgumentParser
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore

/// `diffusion decode`: the pictures of latents.
struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Decode latents into pictures.",
    discussion: """
      Latents are as a diffusion model has them (scaled), [channels, height, width] or a batch of them.

      Example:
        diffusion decode photo.safetensors --out photo.png --model stable-diffusion-v1-5
      """)

  @Argument(help: "A file with one tensor, or with one named latents, latent or samples.")
  var latents: String

  @Option(
    help:
      "The PNG file to write; with several latents a pattern such as d%03d.png, or the file of a grid."
  )
  var out: String

  @OptionGroup var autoencoder: AutoencoderOptions
  @OptionGroup var engine: EngineOptions

  func run() throws {
    engine.apply()
    var latents = try read()
    if latents.rank == 3 { latents = latents.expanded(at: 0) }
    let output = try PictureOutput(
      path: out, count: max(1, latents.rank == 4 ? latents.shape[0] : 1))
    let model = try autoencoder.read(.decoding)
    guard latents.rank == 4, latents.shape[1] == model.latentChannels, latents.count > 0 else {
      throw ValidationError(
        "\(self.latents): expected latents [batch, \(model.latentChannels), height, width], found \(latents.shape)"
      )
    }
    var images: [Image] = []
    for (path, latent) in zip(output.paths, latents.split(axis: 0, into: latents.shape[0])) {
      let image = model.decode(latent.permuted([0, 2, 3, 1]))[0]
      try image.writePNG(to: path)
      images.append(image)
      print(path)
    }
    try output.writeGrid(images)
  }

  private func read() throws -> Tensor {
    let file = try openCheckpoint(path: latents)
    let names = file.entries.map(\.name)
    let known = ["latents", "latent", "samples"].first { names.contains($0) }
    guard let name = known ?? (names.count == 1 ? names[0] : nil) else {
      throw ValidationError(
        "\(latents): expected one tensor, or one named latents, latent or samples, found "
          + names.prefix(5).joined(separator: ", "))
    }
    return try file.tensor(named: name).converted(to: .float32)
  }
}
