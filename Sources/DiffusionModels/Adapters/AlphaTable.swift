import Foundation
import TensorCheckpoints

/// Alphas and ranks that stand beside an adapter's tensors.
struct AlphaTable {
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

  /// LoRA's alpha is `lora_alpha`, that of LoHa and LoKr `alpha`.
  func alpha(of part: AdaptedPart, name: String) -> Double? {
    value(["lora_alpha", "alpha"], "alpha_pattern", part, name) as? Double
  }

  func rank(of part: AdaptedPart, name: String) -> Int? {
    value(["r"], "rank_pattern", part, name) as? Int
  }

  private func value(
    _ keys: [String], _ patterns: String, _ part: AdaptedPart, _ name: String
  ) -> Any? {
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
    let patterns = texts[prefix + patterns] as? [String: Any] ?? [:]
    let own = patterns.first { layer == $0.key || layer.hasSuffix("." + $0.key) }?.value
    return own ?? keys.lazy.compactMap { texts[prefix + $0] }.first
  }
}
