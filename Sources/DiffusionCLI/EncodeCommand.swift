import ArgumentParser
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore

/// `diffusion encode`: the latent of a picture.
struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Encode a picture into a latent.",
    discussion: """
      The latent is as a diffusion model has it (scaled), as the tensor latents [1, channels, height, width] of a safetensors \
      file; of a variational autoencoder it is the mean. A picture whose sides are no multiples of the autoencoder's reduction \
      loses the edge beyond.

      Example:
        diffusion encode photo.jpg --out photo.safetensors --model stable-diffusion-v1-5
        diffusion encode photo.jpg --out photo.safetensors --model taef2_encoder.safetensors
      """)

  @Argument(help: "The picture: PNG, JPEG or WebP.")
  var image: String

  @Option(help: "The safetensors file to write.")
  var out: String

  @OptionGroup var autoencoder: AutoencoderOptions
  @OptionGroup var engine: EngineOptions

  func run() throws {
    engine.apply()
    try PictureOutput.expectWritable(fileAt: out)
    var picture = try Image(reading: image)
    let model = try autoencoder.read(.encoding)
    let unit = model.reduction
    let (width, height) = (picture.width / unit * unit, picture.height / unit * unit)
    guard width > 0, height > 0 else {
      throw ValidationError(
        "the picture is \(picture.width) x \(picture.height) pixels; the autoencoder takes \(unit) or more a side"
      )
    }
    if width != picture.width || height != picture.height {
      Console.note(
        "note: of \(picture.width) x \(picture.height) pixels the middle \(width) x \(height) is encoded"
      )
      picture = picture.cropped(width: width, height: height)
    }
    let latent = model.encode(picture).permuted([0, 3, 1, 2])
    var writer = CheckpointWriter(metadata: ["kind": "latents", "reduction": "\(unit)"])
    writer.add("latents", latent)
    try writer.write(to: out)
    print(out)
  }
}

/// Where an autoencoder is.
struct AutoencoderOptions: ParsableArguments {
  @Option(
    help: """
      A diffusers folder (its vae is taken), an autoencoder's folder, or a file: an autoencoder's under any naming, or half of \
      a tiny one (taesd_encoder.safetensors).
      """)
  var model: String

  /// Reads the autoencoder; what was left aside is noted.
  func read(_ half: PictureAutoencoder.Half) throws -> PictureAutoencoder {
    var notes: [String] = []
    let loaded = try PictureAutoencoder(path: model, for: half, notes: &notes)
    for note in notes { Console.note("note: \(note)") }
    return loaded
  }
}
