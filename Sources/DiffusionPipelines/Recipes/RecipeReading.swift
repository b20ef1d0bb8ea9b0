import DiffusionImages
import Foundation

/// A recipe as it was found in a picture's file, with what cannot be done as it says.
public struct RecipeReading: Sendable, Equatable {
  /// Whose words the recipe was in.
  public enum Origin: String, Sendable, Codable, CaseIterable {
    case own = "diffusion"
    case webUI = "AUTOMATIC1111"
    case comfyUI = "ComfyUI"
    case stableDiffusionCpp = "stable-diffusion.cpp"
  }

  /// Something in a file that the picture will not have, or has in another way.
  public struct Remark: Sendable, Equatable, Codable {
    /// What the file calls it.
    public let field: String
    /// What the file says.
    public let value: String
    /// Why it is not so, or what to do.
    public let reason: String

    /// A remark.
    public init(_ field: String, _ value: String, _ reason: String) {
      (self.field, self.value, self.reason) = (field, value, reason)
    }
  }

  /// Whose words they were.
  public let origin: Origin
  /// The recipe, in the engine's words.
  public var recipe: PictureRecipe
  /// What cannot be done as the file says.
  public var remarks: [Remark] = []
  /// The adapters that the file names, by their names alone; they are not in the recipe's prompt.
  public var adapters: [LoRATag] = []

  init(_ origin: Origin, _ recipe: PictureRecipe = PictureRecipe()) {
    (self.origin, self.recipe) = (origin, recipe)
  }

  /// Reads the recipe of a picture, whichever tool drew it.
  ///
  /// - Throws: ``PipelineError/recipe(path:problem:)`` where there is none, or none that can be read.
  public init(of file: PictureFile, path: String) throws(PipelineError) {
    do throws(RecipeFault) {
      if let own = file.text[PictureRecipe.keyword] {
        self.init(.own, try Self.own(own))
      } else if let text = file.text["parameters"] {
        self = try Self.parameters(text)
      } else if let prompt = file.text["prompt"] {
        self = try ComfyReader(ComfyGraph(prompt: prompt)).reading()
      } else if let workflow = file.text["workflow"] {
        self = try ComfyReader(ComfyGraph(workflow: workflow)).reading()
      } else {
        throw RecipeFault(
          "expected a text \(PictureRecipe.keyword), parameters, prompt or workflow, found "
            + (file.text.isEmpty ? "none" : file.text.keys.sorted().joined(separator: ", ")))
      }
    } catch {
      throw .recipe(path: path, problem: error.problem)
    }
  }

  private static func own(_ text: String) throws(RecipeFault) -> PictureRecipe {
    do {
      return try JSONDecoder().decode(PictureRecipe.self, from: Data(text.utf8))
    } catch {
      throw RecipeFault("the text \(PictureRecipe.keyword) is no recipe: \(error)")
    }
  }

  /// stable-diffusion.cpp writes the web UI's text, and in later versions JSON at its end.
  private static func parameters(_ text: String) throws(RecipeFault) -> RecipeReading {
    if let json = text.range(of: "SDCPP: ") {
      return try StableDiffusionCppReader(json: String(text[json.upperBound...])).reading()
    }
    return try WebUIReader(WebUIText(text)).reading()
  }
}

/// What is wrong with a recipe.
struct RecipeFault: Error {
  let problem: String

  init(_ problem: String) { self.problem = problem }
}

extension RecipeReading {
  /// Takes an adapter's name, and says that its file is not known.
  mutating func take(adapter tag: LoRATag, field: String) {
    adapters.append(tag)
    remark(
      field, "\(tag.name):\(tag.unetWeight)",
      "where the file is, the picture does not say; give its folder with --lora-dir, or it with "
        + "--lora")
  }

  mutating func remark(_ field: String, _ value: String, _ reason: String) {
    remarks.append(Remark(field, value, reason))
  }

  /// Takes a sampler by a foreign name.
  mutating func take(sampler foreign: String, field: String) {
    guard let (name, difference) = ForeignNames.sampler(foreign) else {
      return remark(field, foreign, "there is no such sampler here; the model's own is taken")
    }
    recipe.sampler = name
    if let difference { remark(field, foreign, difference) }
  }

  /// Takes a schedule by a foreign name.
  mutating func take(schedule foreign: String, field: String) {
    recipe.schedule = ForeignNames.schedule(foreign)
    if recipe.schedule == nil {
      remark(field, foreign, "there is no such schedule here; the model's own is taken")
    }
  }
}
