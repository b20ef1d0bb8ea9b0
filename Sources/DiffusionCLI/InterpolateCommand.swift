import ArgumentParser
import DiffusionPipelines

/// `diffusion interpolate`: the way from one picture to another.
struct InterpolateCommand: DrawingCommand {
  static let configuration = CommandConfiguration(
    commandName: "interpolate",
    abstract: "Draws the way from one picture to another.",
    discussion: """
      From --prompt and --seed to --to-prompt and --to-seed, in --count pictures: the noise is interpolated spherically, what \
      the prompts say linearly.

      Example:
        diffusion interpolate --model sd15 --prompt "a cat" --to-prompt "a fox" \\
          --seed 1 --to-seed 2 --count 24 --out f%02d.png
      """)

  @OptionGroup var drawing: DrawingArguments
  @OptionGroup var text: TextArguments

  @Option(help: "What the last picture is to show (default: what the first one does).")
  var toPrompt: String?

  @Option(help: "The last picture's seed (default: the first one's).")
  var toSeed: UInt64?

  @Option(help: "Draw one picture, so far on the way, from 0 to 1.")
  var at: Double?

  func validate() throws {
    if toPrompt == nil, toSeed == nil {
      throw ValidationError("Give --to-prompt, --to-seed or both.")
    }
    if let at {
      if drawing.count != 1 { throw ValidationError("--at draws one picture; leave --count out.") }
      if !(0...1).contains(at) { throw ValidationError("--at takes 0 to 1, not \(at).") }
    } else if drawing.count < 2 {
      throw ValidationError("--count takes 2 pictures or more, not \(drawing.count).")
    }
  }

  func run(_ notes: inout [String]) throws -> PictureRun {
    var end = toPrompt ?? ""
    if try !LoRATag.taken(from: &end).isEmpty {
      throw ValidationError("--to-prompt: adapters are named in --prompt; all pictures have them.")
    }
    var run = try LatentRun(drawing, text, notes: &notes)
    run.request.ending = .init(prompt: toPrompt, seed: toSeed, at: at)
    let request = run.request
    return try run.run { recipe, index in
      (recipe.verb, recipe.toPrompt, recipe.toSeed) = ("interpolate", toPrompt, toSeed)
      recipe.at = request.progress(of: index)
    }
  }
}
