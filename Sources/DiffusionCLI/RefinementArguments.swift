import ArgumentParser
import DiffusionPipelines

/// The options of a second pass and of variations.
struct RefinementArguments: ParsableArguments {
  @Option(help: "Enlarge what was drawn, so many times, and draw it again at that size.")
  var hires: Double?

  @Option(help: "How far the second pass leaves the first, above 0 to 1 (default: 0.7).")
  var hiresStrength: Double?

  @Option(
    help: """
      The second pass's steps from noise to data, of which --hires-strength says the share (default: --steps).
      """)
  var hiresSteps: Int?

  @Option(
    help: """
      Mix the noise of another seed into that of --seed; picture i takes so much of seed + i, and all have the same --seed.
      """)
  var variationSeed: UInt64?

  @Option(help: "How much of the other seed's noise, from 0 to 1 (default: 0.1).")
  var variationStrength: Double?

  /// The first option that was given, by its name.
  var given: String? {
    let all: [(String, Bool)] = [
      ("hires", hires != nil), ("hires-strength", hiresStrength != nil),
      ("hires-steps", hiresSteps != nil), ("variation-seed", variationSeed != nil),
      ("variation-strength", variationStrength != nil),
    ]
    return all.first { $0.1 }?.0
  }

  func validate() throws {
    if hires == nil, hiresStrength != nil || hiresSteps != nil {
      throw ValidationError(
        "--hires-strength and --hires-steps belong to a second pass: ask for one by --hires.")
    }
    if let hiresSteps, hiresSteps < 1 {
      throw ValidationError("--hires-steps takes a number of 1 or more, not \(hiresSteps).")
    }
    if variationSeed == nil, variationStrength != nil {
      throw ValidationError("--variation-strength takes --variation-seed beside it.")
    }
  }

  /// Adds to a request what was given.
  func change(_ request: inout TextRequest) {
    request.refinement = hires.map {
      .init(scale: $0, strength: hiresStrength ?? 0.7, steps: hiresSteps)
    }
    request.variation = variationSeed.map { .init(seed: $0, strength: variationStrength ?? 0.1) }
  }

  /// Puts down what made picture `index`.
  func note(in recipe: inout PictureRecipe, of index: Int) {
    (recipe.hires, recipe.hiresStrength) = (hires, hires.map { _ in hiresStrength ?? 0.7 })
    recipe.hiresSteps = hiresSteps
    recipe.variationSeed = variationSeed.map { $0 &+ UInt64(index) }
    recipe.variationStrength = variationSeed.map { _ in variationStrength ?? 0.1 }
  }
}
