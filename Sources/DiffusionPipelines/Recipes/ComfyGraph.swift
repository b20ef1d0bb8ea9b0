/// The nodes of a ComfyUI picture: as they were run (`prompt`), or as they were drawn (`workflow`).
struct ComfyGraph {
  /// A node.
  struct Node {
    let id: String
    let kind: String
    /// Values, and links to other nodes.
    var inputs: [String: Input]
  }

  /// What goes into a node.
  enum Input {
    case value(RecipeJSON)
    case link(String)
  }

  private(set) var nodes: [String: Node] = [:]

  /// A graph as it was run: `{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "model": ["4", 0]}}}`.
  init(prompt text: String) throws(RecipeFault) {
    guard case .object(let members) = try RecipeJSON(text, name: "the text prompt") else {
      throw RecipeFault("the text prompt is no graph of nodes")
    }
    for (id, node) in members {
      guard let kind = node["class_type"]?.text, case .object(let inputs) = node["inputs"] else {
        continue
      }
      nodes[id] = Node(
        id: id, kind: kind,
        inputs: inputs.mapValues { value in
          if let items = value.list, items.count == 2, let origin = Self.identifier(items[0]),
            items[1].natural != nil
          {
            return .link(origin)
          }
          return .value(value)
        })
    }
  }

  /// The order of the values in nodes as they were drawn, which have no names there.
  private static let widgets: [String: [String]] = [
    "KSampler": [
      "seed", "control_after_generate", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    ],
    "KSamplerAdvanced": [
      "add_noise", "noise_seed", "control_after_generate", "steps", "cfg", "sampler_name",
      "scheduler", "start_at_step", "end_at_step", "return_with_leftover_noise",
    ],
    "CLIPTextEncode": ["text"], "EmptyLatentImage": ["width", "height", "batch_size"],
    "CheckpointLoaderSimple": ["ckpt_name"], "CLIPSetLastLayer": ["stop_at_clip_layer"],
    "LoraLoader": ["lora_name", "strength_model", "strength_clip"],
    "LoraLoaderModelOnly": ["lora_name", "strength_model"], "VAELoader": ["vae_name"],
  ]

  /// A graph as it was drawn: a list of nodes, and a list of links `[id, origin, slot, target, slot, type]`.
  init(workflow text: String) throws(RecipeFault) {
    let root = try RecipeJSON(text, name: "the text workflow")
    guard let drawn = root["nodes"]?.list else {
      throw RecipeFault("the text workflow has no nodes")
    }
    var origins: [UInt64: String] = [:]
    for link in root["links"]?.list ?? [] {
      if let id = link[0]?.natural, let origin = link[1].flatMap(Self.identifier) {
        origins[id] = origin
      }
    }
    for node in drawn {
      guard let id = node["id"].flatMap(Self.identifier), let kind = node["type"]?.text else {
        continue
      }
      var inputs: [String: Input] = [:]
      let values = node["widgets_values"]?.list ?? []
      for (name, value) in zip(Self.widgets[kind] ?? [], values) { inputs[name] = .value(value) }
      for input in node["inputs"]?.list ?? [] {
        if let name = input["name"]?.text, let link = input["link"]?.natural,
          let origin = origins[link]
        {
          inputs[name] = .link(origin)
        }
      }
      nodes[id] = Node(id: id, kind: kind, inputs: inputs)
    }
  }

  private static func identifier(_ value: RecipeJSON) -> String? {
    value.text ?? value.natural.map(String.init)
  }

  /// Nodes of a kind, in the order of their numbers.
  func nodes(of kinds: Set<String>) -> [Node] {
    nodes.values.filter { kinds.contains($0.kind) }.sorted {
      (Int($0.id) ?? 0, $0.id) < (Int($1.id) ?? 0, $1.id)
    }
  }

  /// The node that an input comes from.
  func origin(of input: String, in node: Node) -> Node? {
    guard case .link(let id) = node.inputs[input] else { return nil }
    return nodes[id]
  }

  /// An input's value; through a link, the only value of the node it comes from.
  func value(_ input: String, of node: Node) -> RecipeJSON? {
    switch node.inputs[input] {
    case .value(let value): return value
    case .link(let id):
      let values = (nodes[id]?.inputs ?? [:]).compactMap { name, input -> RecipeJSON? in
        guard case .value(let value) = input, !name.contains("control") else { return nil }
        return value
      }
      return values.count == 1 ? values[0] : nil
    case nil: return nil
    }
  }
}
