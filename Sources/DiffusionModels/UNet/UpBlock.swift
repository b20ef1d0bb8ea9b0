import TensorCore
import TensorLayers

/// diffusers' `UpBlock2D`, `AttnUpBlock2D` and `ResnetUpsampleBlock2D`: residual blocks that each take in one result of the
/// way down, each with attention behind it or none, then what doubles the picture (at all levels but the outermost).
public struct UpBlock: Module {
  /// What doubles the picture.
  enum Doubling: Sendable {
    case convolution(Upsample)
    case residual(ResidualBlock)
  }

  var attentions: [Attention] = []
  var residuals: [ResidualBlock] = []
  var doubling: Doubling?

  /// A block with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - inputs: channels of the last result that is taken in: those of the level below on the way down.
  ///   - previous: channels of what comes from the block before.
  ///   - layers: how many residual blocks.
  ///   - headWidth: channels of an attention head, where the kind has attention.
  ///   - upsampling: what doubles the picture; `nil` for nothing.
  public init(
    _ kind: UpBlockKind, inputs: Int, previous: Int, outputs: Int, layers: Int, headWidth: Int,
    upsampling: ResamplingKind?, style: ResidualBlock.Style, initializer: inout ParameterInitializer
  ) {
    for layer in 0..<layers {
      let hidden = layer == 0 ? previous : outputs
      let skip = layer == layers - 1 ? inputs : outputs
      residuals.append(
        ResidualBlock(
          inputs: hidden + skip, outputs: outputs, style: style, initializer: &initializer))
      if kind == .attention {
        attentions.append(
          Attention(
            channels: outputs, headWidth: headWidth, groups: style.groups, epsilon: style.epsilon,
            outputScale: style.outputScale, initializer: &initializer))
      }
    }
    switch upsampling {
    case nil: doubling = nil
    case .convolution:
      doubling = .convolution(Upsample(channels: outputs, initializer: &initializer))
    case .residual:
      doubling = .residual(
        ResidualBlock(
          inputs: outputs, outputs: outputs, style: style, resampling: .up,
          initializer: &initializer))
    }
  }

  /// How many results of the way down it takes in.
  public var skipCount: Int { residuals.count }

  /// The block applied to `x [batch, height, width, previous]`.
  ///
  /// - Parameters:
  ///   - skips: results of the way down in the order in which they came; taken from the end, and removed.
  ///   - time: the activated time embedding.
  public func callAsFunction(
    _ x: Tensor, skips: inout [Tensor], time: Tensor?, mode: ExecutionMode = .inference
  ) -> Tensor {
    require(
      skips.count >= residuals.count, "UpBlock",
      "\(residuals.count) results of the way down are needed, got \(skips.count)")
    var hidden = x
    for (layer, residual) in residuals.enumerated() {
      hidden = residual(hidden, skip: skips.removeLast(), time: time, mode: mode.part(layer))
      if !attentions.isEmpty { hidden = attentions[layer](hidden, mode: mode) }
    }
    switch doubling {
    case .convolution(let upsample): return upsample(hidden)
    case .residual(let residual):
      return residual(hidden, time: time, mode: mode.part(residuals.count))
    case nil: return hidden
    }
  }

  /// `attentions`, `resnets`, `upsamplers`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("attentions", &attentions)
    try list.modules("resnets", &residuals)
    switch doubling.take() {
    case .convolution(var upsample):
      defer { doubling = .convolution(upsample) }
      try list.module("upsamplers.0", &upsample)
    case .residual(var residual):
      defer { doubling = .residual(residual) }
      try list.module("upsamplers.0", &residual)
    case nil: break
    }
  }
}
