import DiffusionImages
import DiffusionPipelines
import Foundation
import TestSupport
import Testing

/// What other tools and this one leave in pictures; see make_recipes.py.
@Suite struct RecipeTests {
  static let folder = Shared.golden.appendingPathComponent("recipes")

  private struct Expected: Decodable {
    let recipe: PictureRecipe
    let remarks: [String]
  }

  @Test(arguments: [
    ("webui_new.png", RecipeReading.Origin.webUI), ("webui_old.png", .webUI),
    ("webui_exif.jpg", .webUI), ("webui_hires.png", .webUI), ("webui_pixels.png", .webUI),
    ("comfy_default.png", .comfyUI), ("comfy_lora.png", .comfyUI),
    ("comfy_workflow.png", .comfyUI), ("cpp_text.png", .stableDiffusionCpp),
    ("cpp_json.png", .stableDiffusionCpp), ("cpp_more.png", .stableDiffusionCpp),
  ])
  func foreignPicturesGiveTheirRequest(_ name: String, _ origin: RecipeReading.Origin) throws {
    let file = Self.folder.appendingPathComponent(name)
    let reading = try RecipeReading(of: PictureFile(reading: file.path), path: name)
    let json = file.deletingPathExtension().appendingPathExtension("json")
    let expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: json))
    #expect(reading.origin == origin)
    #expect(reading.recipe == expected.recipe)
    #expect(reading.remarks.map(\.field) == expected.remarks)
  }

  private static func full() -> PictureRecipe {
    var recipe = PictureRecipe()
    recipe.model = "models/sd15"
    recipe.prompt = "a (red:1.3) fox — 狐\nin snow"
    recipe.negative = "fog, \"blur\""
    (recipe.width, recipe.height, recipe.clipSkip) = (512, 768, 2)
    (recipe.steps, recipe.sampler, recipe.schedule) = (30, "dpm++2m-sde", "karras")
    (recipe.sigmaMin, recipe.eta, recipe.guidance) = (0.03, 0.7, 6.5)
    recipe.samplerOption = ["noise-scale=1.05"]
    (recipe.seed, recipe.rng, recipe.lora) = (.max, .torch, ["ink.safetensors:0.7"])
    (recipe.hires, recipe.hiresStrength, recipe.hiresSteps) = (1.5, 0.55, 20)
    (recipe.variationSeed, recipe.variationStrength) = (7, 0.25)
    recipe.version = "0.1.0"
    return recipe
  }

  @Test func ownRecipesComeBackWhole() throws {
    let recipe = Self.full()
    let image = Image(width: 2, height: 1, channels: 1, samples: [1, 2])
    let bytes = try PNGFile(image: image, text: recipe.texts(width: 2, height: 1)).encoded()
    let reading = try RecipeReading(of: PictureFile(bytes: bytes), path: "x")
    #expect(reading.origin == .own && reading.recipe == recipe && reading.remarks.isEmpty)
  }

  @Test func writesTheTextThatOtherToolsRead() {
    #expect(
      Self.full().parameters(width: 512, height: 768) == """
        a (red:1.3) fox — 狐
        in snow <lora:ink:0.7>
        Negative prompt: fog, "blur"
        Steps: 30, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 6.5, Seed: 18446744073709551615, Size: 512x768, \
        Model: sd15, Denoising strength: 0.55, Hires upscale: 1.5, Hires steps: 20, Hires upscaler: Latent, Variation seed: 7, \
        Variation seed strength: 0.25, Clip skip: 2, Eta: 0.7, Sigma noise: 1.05, Schedule min sigma: 0.03, RNG: CPU, Version: swift-diffusion-engine 0.1.0
        """)
    var digit = PictureRecipe()
    (digit.class, digit.steps, digit.seed, digit.sampler) = (7, 50, 1, "ddpm")
    #expect(
      digit.parameters(width: 28, height: 28)
        == "Steps: 50, Sampler: ddpm, Seed: 1, Size: 28x28, Model: mnist, Class: 7, "
        + "Version: swift-diffusion-engine")
  }

  /// The web UI's text of our own picture gives our own recipe, but for what it has no words for.
  @Test func theTextAloneGivesTheRecipeToo() throws {
    let recipe = Self.full()
    let image = Image(width: 2, height: 1, channels: 1, samples: [1, 2])
    let text = recipe.parameters(width: 512, height: 768)
    let bytes = try PNGFile(image: image, text: ["parameters": text]).encoded()
    let reading = try RecipeReading(of: PictureFile(bytes: bytes), path: "x")
    var expected = recipe
    (expected.model, expected.lora, expected.version) = (nil, nil, nil)
    // The web UI makes a step more: 12 of 20.
    expected.hiresStrength = 0.6
    #expect(reading.recipe == expected)
    #expect(reading.remarks.map(\.field) == ["lora", "Model"])
    #expect(reading.adapters == [LoRATag(name: "ink", textWeight: 0.7)])
  }

  @Test func argumentsAreThoseOfGenerate() {
    var recipe = PictureRecipe()
    (recipe.prompt, recipe.seed, recipe.guidance) = ("-a --b", 3, 1.2)
    (recipe.sigmaMax, recipe.lora, recipe.class) = (80, ["x:1", "y"], 4)
    #expect(
      recipe.arguments == [
        "--prompt=-a --b", "--class=4", "--sigma-max=80.0", "--guidance=1.2", "--lora=x:1",
        "--lora=y", "--seed=3",
      ])
  }

  @Test func picturesWithoutARecipeSaySo() throws {
    func error(_ text: [String: String]) throws -> String? {
      let image = Image(width: 1, height: 1, channels: 1, samples: [0])
      let file = try PictureFile(bytes: PNGFile(image: image, text: text).encoded())
      return #expect(throws: PipelineError.self) { try RecipeReading(of: file, path: "x.png") }?
        .description
    }
    let none = "x.png: expected a text diffusion, parameters, prompt or workflow, found "
    #expect(try error([:]) == none + "none")
    #expect(try error(["Title": "a"]) == none + "Title")
    #expect(try error(["diffusion": "{"])?.contains("the text diffusion is no recipe") == true)
    #expect(try error(["parameters": "a fox"])?.contains("no line of fields") == true)
    #expect(try error(["parameters": "a, SDCPP: {"])?.contains("is no JSON") == true)
    #expect(try error(["parameters": "a, SDCPP: {}"])?.contains("no seed") == true)
    #expect(try error(["prompt": "[1]"])?.contains("no graph of nodes") == true)
    #expect(try error(["prompt": "{}"])?.contains("no KSampler, found ") == true)
    #expect(try error(["workflow": "{}"])?.contains("has no nodes") == true)
  }
}
