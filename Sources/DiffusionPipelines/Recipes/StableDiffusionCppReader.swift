import Diffusion
import TensorCore

/// A recipe from the JSON that stable-diffusion.cpp writes behind `SDCPP:` (its schema `sdcpp.image.params/v1`).
struct StableDiffusionCppReader {
  private let root: RecipeJSON
  private var result = RecipeReading(.stableDiffusionCpp)

  init(json: String) throws(RecipeFault) {
    root = try RecipeJSON(json, name: "what stands behind SDCPP:")
  }

  func reading() throws(RecipeFault) -> RecipeReading {
    guard let sampling = root["sampling"], root["seed"] != nil else {
      throw RecipeFault("what stands behind SDCPP: has no seed and no sampling")
    }
    var reader = self
    reader.readPicture()
    reader.readSampling(sampling)
    reader.readGenerator()
    reader.readParts()
    return reader.result
  }

  private mutating func readPicture() {
    let (prompt, negative) = (root["prompt"]?["positive"]?.text, root["prompt"]?["negative"]?.text)
    result.recipe.prompt = prompt
    result.recipe.negative = negative?.isEmpty == false ? negative : nil
    result.recipe.seed = root["seed"]?.natural
    result.recipe.width = root["width"]?.integer
    result.recipe.height = root["height"]?.integer
    result.recipe.clipSkip = root["clip_skip"]?.integer.flatMap { $0 > 0 ? $0 : nil }
    if let mode = root["mode"]?.text, mode != "img_gen" {
      result.remark("mode", mode, "only pictures of a text are drawn")
    }
  }

  private mutating func readSampling(_ sampling: RecipeJSON) {
    result.recipe.steps = sampling["steps"]?.integer
    result.recipe.guidance = sampling["guidance"]?["txt_cfg"]?.number
    if let method = sampling["method"]?.text { result.take(sampler: method, field: "method") }
    let sigmas = sampling["custom_sigmas"]?.list?.compactMap(\.number) ?? []
    if !sigmas.isEmpty {
      result.recipe.schedule = sigmas.map { "\($0)" }.joined(separator: ",")
    } else {
      result.take(schedule: sampling["scheduler"]?.text ?? "discrete", field: "scheduler")
    }
    if let shift = sampling["flow_shift"]?.number, shift.isFinite, shift > 0,
      result.recipe.schedule != nil
    {
      result.recipe.shift = shift
    }
    if let entry = result.recipe.sampler.flatMap(SolverCatalog.entry(named:)),
      entry.options.contains(.eta)
    {
      result.recipe.eta = sampling["eta"]?.number
    }
    if let scale = sampling["guidance"]?["slg"]?["scale"]?.number, scale != 0 {
      result.remark("slg", "\(scale)", "no layers are skipped here")
    }
    if let more = sampling["extra_sample_args"]?.text, !more.isEmpty {
      result.remark("extra_sample_args", more, "this is not done here")
    }
  }

  private mutating func readGenerator() {
    switch root["rng"]?.text {
    case "cuda": result.recipe.rng = .philox
    case "cpu": result.recipe.rng = .torch
    case let other:
      result.remark(
        "rng", other ?? "none", "there is no such generator here; PyTorch's is taken")
    }
    if let other = root["sampler_rng"]?.text, other != root["rng"]?.text {
      result.remark("sampler_rng", other, "one generator draws all of a picture's numbers here")
    }
  }

  private mutating func readParts() {
    let wanted = "where the file is, the picture does not say; give it with --model"
    for key in ["model", "diffusion_model", "clip_l", "clip_g", "t5xxl"] {
      if let name = root["models"]?[key]?.text { result.remark(key, name, wanted) }
    }
    for key in ["vae", "taesd"] {
      if let name = root["models"]?[key]?.text {
        result.remark(key, name, "the model's own autoencoder is taken")
      }
    }
    if let name = root["models"]?["control_net"]?.text {
      result.remark("control_net", name, "there are no control networks here")
    }
    for lora in root["loras"]?.list ?? [] {
      let weight = lora["multiplier"]?.number.map { ":\($0)" } ?? ""
      result.remark(
        "lora", (lora["name"]?.text ?? "?") + weight,
        "where the file is, the picture does not say; give it with --lora")
    }
    for key in ["hires", "cache", "adetailer", "high_noise_sampling"] {
      if let value = root[key] { result.remark(key, value.shown, "this is not done here") }
    }
  }
}
