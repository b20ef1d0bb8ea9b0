import TensorCheckpoints
import TensorCore
import TensorLayers

extension ConditionalUNetConfiguration {
  /// What names of the U-Net begin with in a single file.
  public static let singleFilePrefix = "model.diffusion_model."

  /// Every parameter, with its place in a single file as CompVis and Stability AI wrote them (their `UNetModel`): there
  /// the blocks of all levels are numbered through, and a block's layers with them.
  ///
  /// - Parameter prefix: what every foreign name begins with.
  public func singleFileTensors(
    of tensors: [(name: String, shape: [Int])], under prefix: String = singleFilePrefix
  ) -> [PlacedTensor] {
    let names = UNetBlockNumbers(self)
    return tensors.map { name, shape in
      let foreign = prefix + names.foreign(name)
      return PlacedTensor(name, shape: shape, places: [TensorPlace(foreign, shape: shape)])
    }
  }
}

/// The numbers of a single file's blocks.
private struct UNetBlockNumbers {
  /// The input block of each level's first layer.
  private var inputs: [Int] = []
  /// The output block of each level's first layer, innermost level first.
  private var outputs: [Int] = []
  /// Whether levels on the way up have transformers.
  private let upIsCross: [Bool]

  init(_ configuration: ConditionalUNetConfiguration) {
    var next = 1
    for layers in configuration.layersPerBlock {
      inputs.append(next)
      next += layers + 1
    }
    next = 0
    for layers in configuration.layersPerBlock.reversed() {
      outputs.append(next)
      next += layers + 1
    }
    upIsCross = configuration.upBlocks.map { $0 == .cross }
  }

  private static let embeddings = ["linear_1": "0", "linear_2": "2"]
  private static let starts = [
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
  ]
  private static let residualParts = [
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
  ]

  func foreign(_ own: String) -> String {
    let parts = own.split(separator: ".").map(String.init)
    func joined(_ start: String, _ rest: ArraySlice<String>) -> String {
      ([start] + rest).joined(separator: ".")
    }
    func residual(_ start: String, _ rest: ArraySlice<String>) -> String {
      joined("\(start).\(Self.residualParts[rest.first ?? ""] ?? "")", rest.dropFirst())
    }
    switch parts[0] {
    case "time_embedding":
      return joined("time_embed.\(Self.embeddings[parts[1]] ?? parts[1])", parts[2...])
    case "class_embedding" where parts.count == 2: return "label_emb.weight"
    case "class_embedding", "add_embedding":
      return joined("label_emb.0.\(Self.embeddings[parts[1]] ?? parts[1])", parts[2...])
    case "mid_block":
      let index = Int(parts[2]) ?? 0
      return parts[1] == "attentions"
        ? joined("middle_block.1", parts[3...]) : residual("middle_block.\(2 * index)", parts[3...])
    case "down_blocks", "up_blocks":
      let isDown = parts[0] == "down_blocks"
      let (level, index) = (Int(parts[1]) ?? 0, Int(parts[3]) ?? 0)
      let side = isDown ? "input_blocks" : "output_blocks"
      let first = isDown ? inputs[level] : outputs[level]
      switch parts[2] {
      case "resnets": return residual("\(side).\(first + index).0", parts[4...])
      case "attentions": return joined("\(side).\(first + index).1", parts[4...])
      case "downsamplers":
        let next = level + 1 < inputs.count ? inputs[level + 1] : first
        return joined("input_blocks.\(next - 1).0.op", parts[5...])
      default:
        let next = level + 1 < outputs.count ? outputs[level + 1] : first
        return joined("output_blocks.\(next - 1).\(upIsCross[level] ? 2 : 1).conv", parts[5...])
      }
    default: return joined(Self.starts[parts[0]] ?? parts[0], parts.dropFirst())
    }
  }
}
