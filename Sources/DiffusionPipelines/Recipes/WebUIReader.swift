import Diffusion
import Foundation
import TensorCore

/// A recipe from AUTOMATIC1111's text, and from that of stable-diffusion.cpp before it wrote JSON.
struct WebUIReader {
  private let text: WebUIText
  private var result: RecipeReading
  private var isCpp: Bool { result.origin == .stableDiffusionCpp }

  /// Fields that say nothing about how a picture is drawn, or that are read together with another.
  private static let passed: Set<String> = [
    "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Clip skip", "RNG", "Eta",
    "Schedule rho", "Schedule min sigma", "Schedule max sigma",
    "Version", "Class", "Model hash", "VAE hash", "Lora hashes", "Batch size", "Batch pos",
    "Variation seed", "Variation seed strength",
  ]

  init(_ text: WebUIText) {
    self.text = text
    let version = text["Version"] ?? ""
    result = RecipeReading(
      version.hasPrefix("stable-diffusion.cpp") ? .stableDiffusionCpp : .webUI)
  }

  func reading() throws(RecipeFault) -> RecipeReading {
    var reader = self
    guard !text.fields.isEmpty else {
      throw RecipeFault("the text parameters ends with no line of fields such as Steps and Seed")
    }
    reader.readPrompts()
    reader.readSampling()
    reader.readNumbers()
    reader.readGenerator()
    reader.readVariation()
    let refined = reader.readSecondPass()
    for (name, value) in text.fields
    where !Self.passed.contains(name) && !refined.contains(name) {
      if let option = ForeignNames.option(name), reader.takes(option, value) {
        reader.result.recipe.samplerOption =
          (reader.result.recipe.samplerOption ?? []) + ["\(option)=\(value)"]
      } else {
        reader.result.remark(name, value, Self.reason(name))
      }
    }
    return reader.result
  }

  /// Whether the sampler has an option and takes a value for it.
  private func takes(_ option: String, _ value: String) -> Bool {
    guard let entry = result.recipe.sampler.flatMap(SolverCatalog.entry(named:)) else {
      return false
    }
    var options = SolverOptions()
    return (try? options.set(option, to: value, for: entry)) != nil
  }

  private mutating func readPrompts() {
    // A tag goes with the blank before it, so that the prompt reads well.
    var prompt = text.prompt.replacing(#/\s+(<(?:lora|lyco):)/#) { $0.1 }
    do throws(PipelineError) {
      for tag in try LoRATag.taken(from: &prompt) { result.take(adapter: tag, field: "lora") }
    } catch {
      result.remark("Prompt", text.prompt, error.description)
    }
    result.recipe.prompt = prompt
    // Files from the hub's sites name adapters by their hashes alone.
    for entry in (text["Lora hashes"] ?? "").split(separator: ",") {
      let name = entry.split(separator: ":")[0].trimmingCharacters(in: .whitespaces)
      if !name.isEmpty, !result.adapters.contains(where: { $0.name == name }) {
        result.take(adapter: LoRATag(name: name), field: "Lora hashes")
      }
    }
    result.recipe.negative = text.negative.isEmpty ? nil : text.negative
  }

  /// The schedule is a field of its own, or (before version 1.9) the end of the sampler's name.
  private mutating func readSampling() {
    guard var name = text["Sampler"] else { return }
    var schedule = text["Schedule type"]
    if ForeignNames.sampler(name) == nil, let blank = name.lastIndex(of: " ") {
      schedule = schedule ?? String(name[name.index(after: blank)...])
      name = String(name[..<blank])
    }
    result.take(sampler: name, field: "Sampler")
    guard let sampler = result.recipe.sampler else { return }
    if ["ddim", "plms"].contains(sampler) {
      result.recipe.schedule = "leading"
    } else if sampler == "unipc" {
      result.recipe.schedule = "linspace"
    } else if schedule == "Automatic" {
      result.recipe.schedule = ForeignNames.automaticSchedule(of: sampler)
    } else {
      result.take(schedule: schedule ?? "uniform", field: "Schedule type")
    }
    if !isCpp, ["dpm2", "dpm2-a", "dpm++3m-sde"].contains(sampler) {
      result.remark(
        "Sampler", name, "the web UI leaves out the level before the last, which is kept")
    }
  }

  private mutating func readNumbers() {
    func number(_ name: String) -> Double? { text[name].flatMap(Double.init) }
    result.recipe.steps = text["Steps"].flatMap { Int($0) }
    result.recipe.guidance = number("CFG scale")
    result.recipe.seed = text["Seed"].flatMap { UInt64($0) }
    result.recipe.clipSkip = text["Clip skip"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    result.recipe.`class` = text["Class"].flatMap { Int($0) }
    if let entry = result.recipe.sampler.flatMap(SolverCatalog.entry(named:)),
      entry.options.contains(.eta), number("Eta")?.isFinite == true
    {
      result.recipe.eta = number("Eta")
    }
    if result.recipe.schedule != nil {
      result.recipe.rho = number("Schedule rho")
      result.recipe.sigmaMin = number("Schedule min sigma")
      result.recipe.sigmaMax = number("Schedule max sigma")
    }
    let size = (text["Size"] ?? "").split(separator: "x").compactMap { Int($0) }
    if size.count == 2 { (result.recipe.width, result.recipe.height) = (size[0], size[1]) }
  }

  /// Noise of another seed, which is mixed in here as there.
  private mutating func readVariation() {
    guard let strength = text["Variation seed strength"].flatMap(Double.init), strength != 0
    else { return }
    guard let seed = text["Variation seed"].flatMap({ UInt64($0) }), (0...1).contains(strength)
    else {
      return result.remark(
        "Variation seed", text["Variation seed"] ?? "", "expected a number beside its strength")
    }
    (result.recipe.variationSeed, result.recipe.variationStrength) = (seed, strength)
  }

  /// A second pass over enlarged latents; those over enlarged pictures are not made here.
  ///
  /// - Returns: the fields that are honoured.
  private mutating func readSecondPass() -> Set<String> {
    func number(_ name: String) -> Double? { text[name].flatMap(Double.init) }
    guard let scale = number("Hires upscale"), scale > 1, let upscaler = text["Hires upscaler"],
      upscaler.hasPrefix("Latent"), let strength = number("Denoising strength"),
      let first = result.recipe.steps, strength > 0, strength <= 1
    else { return [] }
    let own = text["Hires steps"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let steps = own ?? first
    // The web UI counts one step more, but for samplers that go by timesteps.
    let isTimed = ["ddim", "plms", "unipc"].contains(result.recipe.sampler)
    let made = min(Int(min(strength, 0.999) * Double(steps)) + (isTimed ? 0 : 1), steps)
    guard made > 0 else { return [] }
    var share = Double(made) / Double(steps)
    if Int(share * Double(steps)) < made { share = share.nextUp }
    (result.recipe.hires, result.recipe.hiresSteps) = (scale, own)
    result.recipe.hiresStrength = share
    var honoured: Set = ["Hires upscale", "Hires steps", "Denoising strength"]
    if ["Latent", "Latent (antialiased)"].contains(upscaler) {
      honoured.insert("Hires upscaler")
    }
    return honoured
  }

  /// The web UI says nothing where a GPU drew the numbers: those of CUDA, which Philox gives.
  private mutating func readGenerator() {
    switch text["RNG"] {
    case "CPU", "cpu": result.recipe.rng = .torch
    case "NumPy": result.recipe.rng = .numpy
    case nil, "GPU", "NV", "cuda": result.recipe.rng = .philox
    case .some(let other):
      result.remark("RNG", other, "there is no such generator here; PyTorch's is taken")
    }
  }

  private static func reason(_ field: String) -> String {
    if field == "Model" || field == "Unet" || field == "TE" {
      return "where the file is, the picture does not say; give it with --model"
    }
    if field == "VAE" { return "the model's own autoencoder is taken" }
    if field == "Hires upscaler" {
      return "only latents are enlarged here, bilinearly: the upscalers Latent"
    }
    if field.hasPrefix("Hires") { return "only what --hires does is done in a second pass" }
    if field == "Denoising strength" {
      return "the picture that it starts from is not in the file; it is drawn from noise alone"
    }
    if field.hasPrefix("Seed resize") { return "noise is drawn at the picture's own size" }
    if field == "TI hashes" {
      return "where the files are, the picture does not say; give their folder with "
        + "--embedding-dir"
    }
    return "this is not done here"
  }
}
