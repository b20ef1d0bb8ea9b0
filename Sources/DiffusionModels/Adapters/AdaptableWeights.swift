import TensorCore
import TensorLayers

/// Which network of a model an adapter changes.
public enum AdaptedPart: Sendable, Hashable {
  /// The U-Net.
  case unet
  /// A text encoder, counted from 0.
  case text(Int)
}

/// The weights of a model that an adapter may change, by the names that files of adapters have for them.
public struct AdaptableWeights: Sendable {
  /// A weight of a network.
  struct Weight: Sendable, Hashable {
    let part: AdaptedPart
    /// The parameter's own name.
    let name: String
    /// Its shape in a checkpoint.
    let shape: [Int]
  }

  private var weights: [AdaptedPart: [String: Weight]] = [:]

  /// Those of a U-Net and its text encoders.
  public init(unet: ConditionalUNet, texts: [CLIPTextEncoder]) {
    // Files for SDXL, and many others, have the names of single files.
    let placed = unet.configuration.singleFileTensors(of: unet.checkpointShapes(), under: "")
    let foreign = Dictionary(
      placed.map { ($0.name, $0.places.first?.name) }, uniquingKeysWith: { first, _ in first })
    add(unet, as: .unet) { layer in
      let single = foreign["\(layer).weight"].flatMap(\.self)
      return [Self.outputAlias(layer), single.map { String($0.dropLast(".weight".count)) }]
    }
    for (index, text) in texts.enumerated() {
      add(text, as: .text(index)) { [Self.textAlias($0)] }
    }
  }

  /// - Parameter aliases: what else a layer is called.
  private mutating func add<M: Module>(
    _ module: M, as part: AdaptedPart, aliases: (String) -> [String?]
  ) {
    var found: [String: Weight] = [:]
    for (name, shape) in module.checkpointShapes()
    where name.hasSuffix(".weight") && (shape.count == 2 || shape.count == 4) {
      let layer = String(name.dropLast(".weight".count))
      for known in [layer] + aliases(layer).compactMap(\.self) {
        found[Self.flat(known)] = Weight(part: part, name: name, shape: shape)
      }
    }
    weights[part] = found
  }

  /// kohya's files have underscores for points, so that no name is cut at points.
  static func flat(_ name: String) -> String { name.replacing(".", with: "_") }

  /// Attention processors of diffusers before 0.18 say `to_out` for `to_out.0`.
  private static func outputAlias(_ layer: String) -> String? {
    layer.hasSuffix("to_out.0") ? String(layer.dropLast(2)) : nil
  }

  /// Their text encoders say `to_q` for `q_proj`.
  private static func textAlias(_ layer: String) -> String? {
    for (own, old) in [
      ("q_proj", "to_q"), ("k_proj", "to_k"), ("v_proj", "to_v"), ("out_proj", "to_out"),
    ] where layer.hasSuffix(own) {
      return layer.dropLast(own.count) + old
    }
    return nil
  }

  private static let prefixes: [(prefix: String, part: AdaptedPart)] = [
    ("lora_unet_", .unet), ("lora_te1_", .text(0)), ("lora_te2_", .text(1)), ("lora_te_", .text(0)),
    ("unet.", .unet), ("text_encoder_2.", .text(1)), ("text_encoder.", .text(0)),
  ]

  /// The weight that a file calls so, without what says which of the adapter's tensors it is; `nil` where there is none.
  ///
  /// A name that does not say the part is one of the U-Net, or of the first text encoder.
  func weight(named name: String) -> Weight? {
    var rest = name
    if rest.hasPrefix("base_model.model.") { rest.removeFirst("base_model.model.".count) }
    var parts: [AdaptedPart] = [.unet, .text(0)]
    if let found = Self.prefixes.first(where: { rest.hasPrefix($0.prefix) }) {
      rest.removeFirst(found.prefix.count)
      parts = [found.part]
    }
    let flat = Self.flat(rest.replacing(".processor.", with: "."))
    let start = "text_model_"
    for part in parts {
      let isText = part != .unet && flat.hasPrefix(start)
      let key = isText ? String(flat.dropFirst(start.count)) : flat
      if let weight = weights[part]?[key] { return weight }
    }
    return nil
  }
}
