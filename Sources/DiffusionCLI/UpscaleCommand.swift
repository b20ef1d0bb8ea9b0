import ArgumentParser
import DiffusionImages
import DiffusionPipelines

/// `diffusion upscale`: a picture four times as large.
struct UpscaleCommand: DrawingCommand {
  static let configuration = CommandConfiguration(
    commandName: "upscale",
    abstract: "Enlarges a picture, drawing what is too small to be seen in it.",
    discussion: """
      Takes a model that was trained to enlarge pictures (Stable Diffusion's x4 upscaler). With any other model, \
      `diffusion generate --init-image` with --width, --height and a small --strength comes near.

      Example:
        diffusion upscale --model x4-upscaler --init-image cat.png \\
          --prompt "a white cat" --out large.png
      """)

  @OptionGroup var drawing: DrawingArguments
  @OptionGroup var text: TextArguments

  @Option(help: "The picture (PNG, JPEG or WebP).")
  var initImage: String

  @Option(
    help: "The timestep whose noise the picture gets first: the more, the more is drawn anew.")
  var noiseLevel = 20

  func run(_ notes: inout [String]) throws -> PictureRun {
    let image = try Image(reading: initImage)
    let pictures = MemoryPlan.Pictures(width: 4 * image.width, height: 4 * image.height)
    let run = try LatentRun(drawing, text, guidance: 9, pictures: pictures, notes: &notes)
    guard run.model.takes == .smallPicture else {
      throw ValidationError(
        "--model: it was not trained to enlarge pictures; try generate --init-image.")
    }
    let input = PictureInput(image, noiseLevel: noiseLevel)
    return try run.run(from: input) { recipe, _ in
      (recipe.verb, recipe.initImage, recipe.noiseLevel) = ("upscale", initImage, noiseLevel)
    }
  }
}
