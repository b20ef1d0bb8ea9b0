import TensorCheckpoints
import TensorCore

extension AutoencoderConfiguration {
  /// What names of the autoencoder begin with in a single file.
  public static let singleFilePrefix = "first_stage_model."

  /// Every parameter, with its places: first in a single file as CompVis and Stability AI wrote them, where attention
  /// projects by 1x1 convolutions, then in diffusers' files, whose attention had other names before 0.18.
  ///
  /// - Parameter prefix: what every name of the single file begins with; `nil` where diffusers' names come first.
  public func placedTensors(
    of tensors: [(name: String, shape: [Int])], under prefix: String? = singleFilePrefix
  ) -> [PlacedTensor] {
    tensors.map { name, shape in
      let foreign = foreign(name)
      let isAttention = name.contains("attentions.") && shape.count == 2
      let original = TensorPlace(
        (prefix ?? "") + foreign, shape: isAttention ? shape + [1, 1] : shape)
      let own = [name, Self.oldName(name)].map { TensorPlace($0, shape: shape) }
      return PlacedTensor(
        name, shape: shape, places: prefix == nil ? own + [original] : [original] + own)
    }
  }

  private static let oldAttention = [
    ".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn.",
  ]
  private static let originalAttention = [
    "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out",
  ]

  private static func oldName(_ name: String) -> String {
    guard name.contains("attentions.") else { return name }
    return oldAttention.reduce(name) { $0.replacing($1.key, with: $1.value) }
  }

  /// The name in a single file.
  private func foreign(_ own: String) -> String {
    let parts = own.split(separator: ".").map(String.init)
    guard parts.count > 2 else { return own }
    let half = parts[0]
    func joined(_ start: String, _ rest: ArraySlice<String>) -> String {
      ([half, start] + rest).joined(separator: ".")
        .replacing("conv_shortcut", with: "nin_shortcut")
    }
    switch parts[1] {
    case "conv_norm_out": return joined("norm_out", parts[2...])
    case "mid_block":
      if parts[2] == "resnets" {
        return joined("mid.block_\((Int(parts[3]) ?? 0) + 1)", parts[4...])
      }
      let rest = parts[4] == "to_out" ? parts[6...] : parts[5...]
      return joined("mid.attn_1.\(Self.originalAttention[parts[4]] ?? parts[4])", rest)
    case "down_blocks", "up_blocks":
      let isDown = parts[1] == "down_blocks"
      let level = Int(parts[2]) ?? 0
      let number = isDown ? level : blockOutChannels.count - 1 - level
      let start = "\(isDown ? "down" : "up").\(number)"
      if parts[3] == "resnets" { return joined("\(start).block.\(parts[4])", parts[5...]) }
      return joined("\(start).\(isDown ? "downsample" : "upsample").conv", parts[6...])
    default: return own
    }
  }

  /// The structure of an autoencoder, read from its tensors' shapes under whichever of the names; norms have 32 groups.
  ///
  /// - Throws: ``ModelError`` where the tensors are not those of an autoencoder.
  public init(
    shapesOf source: any CheckpointSource, under prefix: String = singleFilePrefix
  ) throws(ModelError) {
    self.init()
    let shapes = SingleFileShapes(source, under: prefix)
    let isOriginal = shapes["decoder.mid.block_1.conv1.weight"] != nil
    let (down, block) = isOriginal ? ("encoder.down", "block") : ("encoder.down_blocks", "resnets")
    var channels: [Int] = []
    while let width = shapes.length("\(down).\(channels.count).\(block).0.conv1.weight", 0) {
      channels.append(width)
    }
    guard let input = shapes.length("encoder.conv_in.weight", 1),
      let output = shapes.length("decoder.conv_out.weight", 0),
      let latent = shapes.length("decoder.conv_in.weight", 1), !channels.isEmpty
    else {
      throw .shapes(source.path, "an autoencoder's tensors \(prefix)encoder and \(prefix)decoder")
    }
    (inChannels, outChannels, latentChannels) = (input, output, latent)
    blockOutChannels = channels
    layersPerBlock = shapes.count("\(down).0.\(block)", "conv1.weight")
    hasQuantConvolution = shapes["quant_conv.weight"] != nil
    hasPostQuantConvolution = shapes["post_quant_conv.weight"] != nil
    hasMiddleAttention =
      shapes[
        isOriginal
          ? "decoder.mid.attn_1.norm.weight"
          : "decoder.mid_block.attentions.0.group_norm.weight"] != nil
    sampleSize = 512
  }
}
