import TensorCore
import TextTokenizer

/// A recipe from a ComfyUI graph: what a KSampler takes, followed back to texts, latents and loaders.
struct ComfyReader {
  private let graph: ComfyGraph
  private var result = RecipeReading(.comfyUI)
  private var known: Set<String> = []

  init(_ graph: ComfyGraph) { self.graph = graph }

  func reading() throws(RecipeFault) -> RecipeReading {
    var reader = self
    let samplers = graph.nodes(of: ["KSampler", "KSamplerAdvanced"])
    // The first of a chain starts from noise alone; what is done to its latent afterwards is remarked.
    guard let sampler = samplers.first(where: reader.startsFromNoise) ?? samplers.first else {
      throw RecipeFault(
        "the graph has no KSampler, found "
          + Set(graph.nodes.values.map(\.kind)).sorted().joined(separator: ", "))
    }
    reader.readSampling(sampler)
    reader.readTexts(sampler)
    reader.readLatent(sampler)
    reader.readModel(sampler, input: "model")
    reader.result.recipe.rng = .torch
    for other in samplers where other.id != sampler.id {
      reader.result.remark(
        other.kind, "node \(other.id)", "one run is drawn, that of \(sampler.id)")
    }
    reader.remarkUnknown(sampler, except: Set(samplers.map(\.id)))
    return reader.result
  }

  private func startsFromNoise(_ sampler: ComfyGraph.Node) -> Bool {
    graph.origin(of: "latent_image", in: sampler)?.kind == "EmptyLatentImage"
  }

  private mutating func readSampling(_ node: ComfyGraph.Node) {
    known.insert(node.id)
    let graph = graph
    func value(_ name: String) -> RecipeJSON? { graph.value(name, of: node) }
    result.recipe.seed = (value("seed") ?? value("noise_seed"))?.natural
    result.recipe.steps = value("steps")?.integer
    result.recipe.guidance = value("cfg")?.number
    if let name = value("sampler_name")?.text { result.take(sampler: name, field: "sampler_name") }
    if let name = value("scheduler")?.text { result.take(schedule: name, field: "scheduler") }
    if let denoise = value("denoise")?.number, denoise != 1 {
      result.remark("denoise", "\(denoise)", "all of the noise is taken away, from noise alone")
    }
    if let first = value("start_at_step")?.integer, first != 0 {
      result.remark("start_at_step", "\(first)", "all steps are made")
    }
    if let last = value("end_at_step")?.integer, last < result.recipe.steps ?? 0 {
      result.remark("end_at_step", "\(last)", "all steps are made")
    }
  }

  private mutating func readTexts(_ sampler: ComfyGraph.Node) {
    result.recipe.prompt = text("positive", of: sampler)
    let negative = text("negative", of: sampler)
    result.recipe.negative = negative?.isEmpty == false ? negative : nil
    let weighted = [result.recipe.prompt, negative].compactMap { $0 }.contains { prompt in
      WeightedPrompt(parsing: prompt).parts.contains { part in
        if case .text(_, let weight) = part { weight != 1 } else { false }
      }
    }
    if weighted {
      result.remark(
        "weights", "in the prompt",
        "they scale a token's state here; ComfyUI moves it away from an empty prompt's")
    }
  }

  /// The text of a conditioning, behind whatever nodes stand between.
  private mutating func text(_ input: String, of node: ComfyGraph.Node) -> String? {
    var (node, input) = (node, input)
    for _ in 0..<100 {
      guard let origin = graph.origin(of: input, in: node) else { return nil }
      if origin.kind == "CLIPTextEncode" {
        known.insert(origin.id)
        readModel(origin, input: "clip")
        return graph.value("text", of: origin)?.text
      }
      if origin.kind == "CLIPTextEncodeSDXL" {
        result.remark(origin.kind, "node \(origin.id)", "text_g is read by both encoders")
        known.insert(origin.id)
        return graph.value("text_g", of: origin)?.text
      }
      let names = ["conditioning", "conditioning_1", input, "conditioning_to"]
      guard let next = names.first(where: { graph.origin(of: $0, in: origin) != nil }) else {
        return nil
      }
      (node, input) = (origin, next)
    }
    return nil
  }

  private mutating func readLatent(_ sampler: ComfyGraph.Node) {
    guard let latent = graph.origin(of: "latent_image", in: sampler) else { return }
    guard latent.kind == "EmptyLatentImage" else {
      return result.remark(latent.kind, "node \(latent.id)", "it is drawn from noise alone")
    }
    known.insert(latent.id)
    result.recipe.width = graph.value("width", of: latent)?.integer
    result.recipe.height = graph.value("height", of: latent)?.integer
    if let count = graph.value("batch_size", of: latent)?.integer, count > 1 {
      result.remark("batch_size", "\(count)", "the first of the batch is drawn")
    }
  }

  /// Follows a model or a text encoder back to its loader.
  private mutating func readModel(_ node: ComfyGraph.Node, input: String) {
    var node = node
    for _ in 0..<100 {
      guard let origin = graph.origin(of: input, in: node) else { return }
      let isNew = known.insert(origin.id).inserted
      switch origin.kind {
      case "CheckpointLoaderSimple":
        guard isNew, let name = graph.value("ckpt_name", of: origin)?.text else { return }
        return result.remark(
          "ckpt_name", name, "where the file is, the picture does not say; give it with --model")
      case "LoraLoader", "LoraLoaderModelOnly":
        let weight = graph.value("strength_model", of: origin)?.number ?? 1
        let ofText = graph.value("strength_clip", of: origin)?.number
        if isNew, let name = graph.value("lora_name", of: origin)?.text {
          let tag = LoRATag(
            name: PictureRecipe.stem(name.replacing("\\", with: "/")),
            textWeight: origin.kind == "LoraLoader" ? ofText ?? weight : 0, unetWeight: weight)
          result.take(adapter: tag, field: "lora_name")
        }
      case "CLIPSetLastLayer":
        let layer = graph.value("stop_at_clip_layer", of: origin)
        if case .number(let place) = layer { result.recipe.clipSkip = Int(exactly: -place) }
      default: known.remove(origin.id)
      }
      node = origin
    }
  }

  /// Nodes that the picture went through and that are not known.
  private mutating func remarkUnknown(_ sampler: ComfyGraph.Node, except samplers: Set<String>) {
    let harmless: Set<String> = [
      "VAEDecode", "SaveImage", "PreviewImage", "Note", "MarkdownNote", "Reroute", "PrimitiveNode",
      "EmptyLatentImage", "CheckpointLoaderSimple", "CLIPTextEncode",
    ]
    for node in graph.nodes.values.sorted(by: { $0.id < $1.id })
    where !known.contains(node.id) && !samplers.contains(node.id) && !harmless.contains(node.kind) {
      result.remark(node.kind, "node \(node.id)", "this node is not known here")
    }
  }
}
