/// What a prompt says of an adapter, as AUTOMATIC1111's web UI reads it: `<lora:NAME:WEIGHT>`, `<lora:NAME:TEXT:UNET>` with
/// weights of their own for the text encoders and the U-Net, or `<lora:NAME:te=TEXT:unet=UNET>`. `lyco` stands for `lora`.
public struct LoRATag: Sendable, Hashable, CustomStringConvertible {
  /// The file's name, without folder and ending.
  public let name: String
  /// What the changes of text encoders are multiplied by.
  public let textWeight: Double
  /// What the changes of the U-Net are multiplied by.
  public let unetWeight: Double

  /// A tag.
  public init(name: String, textWeight: Double = 1, unetWeight: Double? = nil) {
    self.name = name
    (self.textWeight, self.unetWeight) = (textWeight, unetWeight ?? textWeight)
  }

  /// As it stands in a prompt.
  public var description: String {
    func number(_ value: Double) -> String {
      value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
    }
    let unet = textWeight == unetWeight ? "" : ":\(number(unetWeight))"
    return "<lora:\(name):\(number(textWeight))\(unet)>"
  }

  /// Takes the tags out of a prompt.
  ///
  /// - Throws: ``PipelineError/request(part:problem:)`` where one is not understood.
  public static func taken(from prompt: inout String) throws(PipelineError) -> [LoRATag] {
    let pattern = #/<(lora|lyco|hypernet):([^<>]*)>/#
    let found = prompt.matches(of: pattern).map { (kind: String($0.1), rest: String($0.2)) }
    prompt = prompt.replacing(pattern, with: "")
    var tags: [LoRATag] = []
    for (kind, rest) in found {
      try ImageRequest.expect(
        "prompt", kind != "hypernet", "<hypernet:\(rest)>: there are no hypernetworks here")
      guard let tag = LoRATag(parsing: rest) else {
        throw .request(
          part: "prompt",
          problem: "<\(kind):\(rest)>: expected <lora:NAME:WEIGHT> or <lora:NAME:TEXT:UNET>, with "
            + "numbers for the weights")
      }
      tags.append(tag)
    }
    return tags
  }

  /// What stands behind `lora:`.
  private init?(parsing text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map {
      String($0.trimmingWhitespace)
    }
    guard let name = parts.first, !name.isEmpty else { return nil }
    var places: [Double] = []
    var named: [String: Double] = [:]
    for part in parts.dropFirst() {
      let sides = part.split(separator: "=", maxSplits: 1).map { String($0.trimmingWhitespace) }
      guard let last = sides.last, let number = Double(last), number.isFinite else { return nil }
      if sides.count == 2 { named[sides[0]] = number } else { places.append(number) }
    }
    guard places.count <= 2, named.keys.allSatisfy(["te", "unet"].contains) else { return nil }
    let text = named["te"] ?? places.first ?? 1
    self.init(
      name: name, textWeight: text,
      unetWeight: named["unet"] ?? (places.count > 1 ? places[1] : text))
  }
}

extension Substring {
  fileprivate var trimmingWhitespace: Substring {
    var rest = drop { $0.isWhitespace }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
