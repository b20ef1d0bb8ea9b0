import ArgumentParser
import DiffusionImages
import DiffusionPipelines

/// The options of pictures that are drawn from a picture.
struct PictureArguments: ParsableArguments {
  @Option(help: "A picture to draw from (PNG, JPEG or WebP).")
  var initImage: String?

  @Option(
    help:
      "How far to leave the picture, above 0 to 1; so many of the steps are made (default: 0.8).")
  var strength: Double?

  @Option(help: "A picture whose white is painted anew and whose black stays.")
  var mask: String?

  @Option(help: "Blur the mask by a Gaussian of so many pixels: a soft edge.")
  var maskBlur: Double?

  @Option(
    help: ArgumentHelp(
      "Draw the masked area alone, enlarged, with so many pixels around it (32 where no number is given).",
      valueName: "pixels"))
  var maskedArea: Int?

  @Flag(help: "Leave outside of the mask what the autoencoder makes of the picture.")
  var redrawOutside = false

  /// The first option that was given, by its name.
  var given: String? {
    let all: [(String, Bool)] = [
      ("init-image", initImage != nil), ("strength", strength != nil), ("mask", mask != nil),
      ("mask-blur", maskBlur != nil), ("masked-area", maskedArea != nil),
      ("redraw-outside", redrawOutside),
    ]
    return all.first { $0.1 }?.0
  }

  func validate() throws {
    if initImage == nil, let given {
      throw ValidationError("--\(given) belongs to a picture: give one by --init-image.")
    }
    if mask == nil, maskBlur != nil || maskedArea != nil || redrawOutside {
      throw ValidationError(
        "--mask-blur, --masked-area and --redraw-outside belong to a mask: give one by --mask.")
    }
    if let maskBlur, !(maskBlur >= 0 && maskBlur <= 1000) {
      throw ValidationError("--mask-blur takes 0 to 1000 pixels, not \(maskBlur).")
    }
    if let maskedArea, maskedArea < 0 {
      throw ValidationError("--masked-area takes 0 pixels or more, not \(maskedArea).")
    }
  }

  /// What is drawn from, where a picture was given.
  func input() throws -> PictureInput? {
    guard let initImage else { return nil }
    let mask = try mask.map { path in
      PaintMask(
        try Image(reading: path), blur: maskBlur ?? 0, areaPadding: maskedArea,
        keepsOriginal: !redrawOutside)
    }
    return PictureInput(
      try Image(reading: initImage), strength: strength ?? 0.8, mask: mask)
  }

  /// Puts down what a picture was drawn from.
  func note(in recipe: inout PictureRecipe) {
    (recipe.initImage, recipe.mask) = (initImage, mask)
    recipe.strength = initImage == nil ? nil : strength ?? 0.8
    (recipe.maskBlur, recipe.maskedArea) = (maskBlur, maskedArea)
    recipe.redrawOutside = redrawOutside ? true : nil
  }
}
