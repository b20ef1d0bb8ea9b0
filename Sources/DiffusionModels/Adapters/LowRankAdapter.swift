import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

/// Low-rank changes of a model's weights from a file (LoRA, LoCon), under kohya's, diffusers' or peft's names.
public struct LowRankAdapter: Sendable {
  /// The file.
  public let path: String
  private var layers: [AdaptedPart: [String: LowRankLayer]] = [:]

  /// How many weights it changes.
  public var count: Int { layers.values.reduce(0) { $0 + $1.count } }

  /// Reads a file whose every tensor belongs to one of `weights`.
  ///
  /// Alpha is that of the file's tensors, else that of diffusers' metadata or of peft's `adapter_config.json` beside the
  /// file, else the rank.
  ///
  /// - Throws: ``TensorCheckpoints/CheckpointError``; a mismatch lists names that are not understood, halves that are
  ///   missing, and shapes that are not the weights'.
  public init(
    _ source: any CheckpointSource, for weights: AdaptableWeights
  ) throws(CheckpointError) {
    path = source.path
    let found = LowRankNames(source, weights)
    guard found.report.isClean else { throw .mismatch(path: path, report: found.report) }
    let alphas = AlphaTable(source)
    for (weight, names) in found.layers {
      guard let down = names[.down], let up = names[.up] else { continue }
      var layer = LowRankLayer(
        down: try source.tensor(named: down), up: try source.tensor(named: up))
      if let middle = names[.middle] { layer.middle = try source.tensor(named: middle) }
      layer.alpha =
        try names[.alpha].flatMap { name throws(CheckpointError) in
          try source.tensor(named: name).doubles.first
        } ?? alphas.alpha(of: weight.part, name: weight.name)
      layers[weight.part, default: [:]][weight.name] = layer
    }
  }

  /// The change of a parameter, in the file's layout and in float32; `nil` where there is none.
  func change(of name: String, shape: [Int], in part: AdaptedPart) -> Tensor? {
    layers[part]?[name]?.change(shape)
  }
}

/// The tensors of an adapter's file, by the weights that they change.
private struct LowRankNames {
  var layers: [AdaptableWeights.Weight: [LowRankRole: String]] = [:]
  let report: LoadReport

  init(_ source: any CheckpointSource, _ weights: AdaptableWeights) {
    var shapes: [(name: String, shape: [Int])] = []
    var places: [(weight: AdaptableWeights.Weight, role: LowRankRole, entry: CheckpointEntry)] = []
    for entry in source.entries {
      shapes.append((entry.name, entry.shape))
      guard
        let end = LowRankRole.endings.first(where: { entry.name.hasSuffix($0.ending) }),
        let weight = weights.weight(named: String(entry.name.dropLast(end.ending.count)))
      else { continue }
      layers[weight, default: [:]][end.role] = entry.name
      places.append((weight, end.role, entry))
    }
    var expected: [(name: String, shape: [Int])] = []
    for (weight, role, entry) in places {
      let names = layers[weight] ?? [:]
      let rank = names[.down].flatMap { source.entry(named: $0)?.shape.first } ?? 0
      expected.append(
        (
          entry.name,
          role.shape(
            weight.shape, rank: rank, found: entry.shape, hasMiddle: names[.middle] != nil)
        ))
    }
    for (weight, names) in layers {
      for (role, half) in [(LowRankRole.down, "down"), (.up, "up")] where names[role] == nil {
        expected.append(("the \(half) half for \(weight.name)", []))
      }
    }
    report = LoadReport(expected: expected, found: shapes)
  }
}

/// Alphas that stand beside the tensors.
private struct AlphaTable {
  private var texts: [String: Any] = [:]
  private var isNested = false

  init(_ source: any CheckpointSource) {
    func object(_ data: Data) -> [String: Any]? {
      try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    }
    if let text = source.metadata["lora_adapter_metadata"], let found = object(Data(text.utf8)) {
      (texts, isNested) = (found, true)
      return
    }
    let config = URL(fileURLWithPath: source.path).deletingLastPathComponent()
      .appendingPathComponent("adapter_config.json")
    let isPeft = source.entries.contains { $0.name.hasPrefix("base_model.model.") }
    if isPeft, let data = try? Data(contentsOf: config) { texts = object(data) ?? [:] }
  }

  func alpha(of part: AdaptedPart, name: String) -> Double? {
    var prefix = ""
    if isNested {
      prefix =
        switch part {
        case .unet: "unet."
        case .text(0): "text_encoder."
        case .text(let index): "text_encoder_\(index + 1)."
        }
    }
    let layer = String(name.dropLast(".weight".count))
    let patterns = texts[prefix + "alpha_pattern"] as? [String: Any] ?? [:]
    let own = patterns.first { layer == $0.key || layer.hasSuffix("." + $0.key) }?.value
    return (own ?? texts[prefix + "lora_alpha"]) as? Double
  }
}

// MARK: - Merging

extension Module {
  /// The module with the changes of adapters added to its weights, each times its factor.
  ///
  /// - Parameter keepsTypes: whether sums are rounded to the weights' element types; else those in half precision that are
  ///   changed become float32, at twice the memory.
  public func adding(
    _ adapters: [(adapter: LowRankAdapter, factor: Double)], as part: AdaptedPart,
    keepsTypes: Bool = false
  ) -> Self {
    mapParameters { tensor, parameter in
      let shape = parameter.layout.fileShape(ofMemory: tensor.shape)
      let changes = adapters.compactMap { adapter, factor in
        adapter.change(of: parameter.name, shape: shape, in: part).map { (factor, $0) }
      }
      if changes.isEmpty { return tensor }
      let plain = parameter.layout.file(ofMemory: tensor.converted(to: .float32))
      let sum = changes.reduce(plain) { Tensor.linearCombination([(1, $0), $1]) }
      let changed = parameter.layout.memory(ofFile: sum)
      return keepsTypes || tensor.dtype.computes ? changed.converted(to: tensor.dtype) : changed
    }
  }
}
