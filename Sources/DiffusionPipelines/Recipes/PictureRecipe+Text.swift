import DiffusionImages
import Foundation

extension PictureRecipe {
  /// The texts of a PNG file: this recipe as JSON under ``keyword``, and as other tools write and read it under
  /// `parameters`.
  ///
  /// - Parameter size: the picture's width and height, which `parameters` has to name.
  public func texts(width: Int, height: Int) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(self), as: UTF8.self)
    return [Self.keyword: json, "parameters": parameters(width: width, height: height)]
  }

  /// The text as AUTOMATIC1111's web UI writes it: the prompt, the negative prompt, and a line of fields.
  public func parameters(width: Int, height: Int) -> String {
    var fields: [(String, String)] = []
    func add(_ name: String, _ value: (any CustomStringConvertible)?) {
      if let value { fields.append((name, WebUIText.quoted("\(value)"))) }
    }
    func number(_ value: Double?) -> String? {
      value.map { $0 == $0.rounded() && abs($0) < 1e9 ? "\(Int($0))" : "\($0)" }
    }
    add("Steps", steps)
    add("Sampler", sampler.map(ForeignNames.webUI(sampler:)))
    add("Schedule type", schedule.map(ForeignNames.webUI(schedule:)))
    add("CFG scale", number(guidance))
    add("Seed", seed)
    // Of the first pass, from which a second goes on.
    func first(_ side: Int) -> Int { hires.map { Int((Double(side) / $0).rounded()) } ?? side }
    add("Size", "\(self.width ?? first(width))x\(self.height ?? first(height))")
    add("Model", Self.stem(model ?? EmbeddedModel.fileName))
    add("VAE", vae.map(Self.stem))
    add("Class", `class`)
    add("Denoising strength", number(strength ?? hiresStrength))
    add("Mask blur", number(maskBlur))
    add("Hires upscale", number(hires))
    add("Hires steps", hiresSteps)
    add("Hires upscaler", hires.map { _ in "Latent" })
    add("Variation seed", variationSeed)
    add("Variation seed strength", number(variationStrength))
    add("Clip skip", clipSkip)
    add("Eta", number(eta))
    for option in samplerOption ?? [] {
      let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2 { add(ForeignNames.webUI(option: parts[0]), parts[1]) }
    }
    add("Schedule rho", number(rho))
    add("Schedule min sigma", number(sigmaMin))
    add("Schedule max sigma", number(sigmaMax))
    add("RNG", rng.map(ForeignNames.webUI(generator:)))
    add("Version", "swift-diffusion-engine \(version ?? "")".trimmingCharacters(in: .whitespaces))
    let line = fields.map { "\($0): \($1)" }.joined(separator: ", ")
    let negative = negative.flatMap { $0.isEmpty ? nil : "Negative prompt: \($0)" }
    let loras = (lora ?? []).map { " \(Self.loraTag($0))" }.joined()
    return [(prompt ?? "") + loras, negative, line].compactMap { $0 }
      .joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  static func stem(_ path: String) -> String {
    let name = (path as NSString).lastPathComponent
    return ["safetensors", "ckpt", "gguf", "pt"].contains((name as NSString).pathExtension)
      ? (name as NSString).deletingPathExtension : name
  }

  private static func loraTag(_ argument: String) -> LoRATag {
    let file = LoRAFile(parsing: argument)
    return LoRATag(
      name: stem(file.path), textWeight: file.textWeight ?? file.weight, unetWeight: file.weight)
  }
}
