import ArgumentParser
import DiffusionImages
import DiffusionPipelines

/// `diffusion outpaint`: what lies around a picture.
struct OutpaintCommand: DrawingCommand {
  static let configuration = CommandConfiguration(
    commandName: "outpaint",
    abstract: "Draws what lies around a picture.",
    discussion: """
      The picture gets room on its sides, the room is filled, and painted anew as a mask would be, by any model that draws \
      from texts; one that was trained to paint into pictures does it best. The picture itself keeps its pixels but for a seam.

      Example:
        diffusion outpaint --model sd15-inpainting --init-image fox.png \\
          --left 128 --right 128 --prompt "a forest" --out wide.png
      """)

  @OptionGroup var drawing: DrawingArguments
  @OptionGroup var text: TextArguments

  @Option(help: "The picture (PNG, JPEG or WebP).")
  var initImage: String

  @Option(help: "Pixels of room at the left.")
  var left = 0

  @Option(help: "Pixels of room at the right.")
  var right = 0

  @Option(help: "Pixels of room above.")
  var top = 0

  @Option(help: "Pixels of room below.")
  var bottom = 0

  @Option(help: "What is in the room before it is painted: edge (the picture's, blurred) or noise.")
  var fill = Outpainting.Fill.edge

  @Option(help: "Pixels of the picture beside the room that are painted too, fading.")
  var overlap = 16

  @Option(help: "How far to leave what the room is filled with, above 0 to 1.")
  var strength = 0.8

  func validate() throws {
    if text.width != nil || text.height != nil {
      throw ValidationError("--width and --height follow from the picture and its room.")
    }
  }

  func run(_ notes: inout [String]) throws -> PictureRun {
    let image = try Image(reading: initImage)
    let pictures = MemoryPlan.Pictures(
      width: image.width + left + right, height: image.height + top + bottom, isFromPicture: true)
    let run = try LatentRun(drawing, text, pictures: pictures, notes: &notes)
    let room = Outpainting(
      left: left, right: right, top: top, bottom: bottom, fill: fill, overlap: overlap)
    let input = try room.input(
      for: image, unit: run.model.autoencoder.configuration.reduction,
      strength: strength, seed: run.request.pictures.seed)
    return try run.run(from: input) { recipe, _ in
      (recipe.verb, recipe.initImage, recipe.strength) = ("outpaint", initImage, strength)
      (recipe.left, recipe.right, recipe.top, recipe.bottom) = (left, right, top, bottom)
      (recipe.fill, recipe.overlap) = (fill, overlap)
    }
  }
}

extension Outpainting.Fill: ExpressibleByArgument {}
