import TensorCore
import TensorLayers

/// Residual blocks of a level on the way down, each with a transformer behind it or none, then what halves the picture:
/// diffusers' `CrossAttnDownBlock2D` and `DownBlock2D`.
struct ConditionalDownLevel: Module {
  private var transformers: [SpatialTransformer] = []
  private var residuals: [ResidualBlock] = []
  private var downsample: Downsample?

  init(
    _ configuration: ConditionalUNetConfiguration, level: Int,
    _ initializer: inout ParameterInitializer
  ) {
    let outputs = configuration.blockOutChannels[level]
    let inputs = configuration.blockOutChannels[max(0, level - 1)]
    let style = configuration.transformerStyle(
      level: level, onlyCross: configuration.onlyCrossAttention[level])
    for layer in 0..<configuration.layersPerBlock[level] {
      residuals.append(
        ResidualBlock(
          inputs: layer == 0 ? inputs : outputs, outputs: outputs,
          style: configuration.residualStyle, initializer: &initializer))
      if configuration.downBlocks[level] == .cross {
        transformers.append(SpatialTransformer(channels: outputs, style, &initializer))
      }
    }
    if level < configuration.levels - 1 {
      downsample = Downsample(
        channels: outputs, padding: configuration.downsamplePadding, initializer: &initializer)
    }
  }

  /// What every layer gave, which goes to the same level on the way up; the last is worked on.
  func callAsFunction(_ x: Tensor, time: Tensor, text: Tensor, mode: ExecutionMode) -> [Tensor] {
    var hidden = x
    var results: [Tensor] = []
    for (layer, residual) in residuals.enumerated() {
      hidden = residual(hidden, time: time, mode: mode.part(layer))
      if !transformers.isEmpty {
        hidden = transformers[layer](hidden, text: text, mode: mode.part(layer))
      }
      results.append(hidden)
    }
    if let downsample { results.append(downsample(hidden)) }
    return results
  }

  /// `attentions`, `resnets`, `downsamplers.0`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("attentions", &transformers)
    try list.modules("resnets", &residuals)
    try list.module("downsamplers.0", &downsample)
  }
}

/// Two residual blocks with a transformer between: diffusers' `UNetMidBlock2DCrossAttn`.
struct ConditionalMiddle: Module {
  private var transformer: SpatialTransformer
  private var first: ResidualBlock
  private var second: ResidualBlock

  init(
    _ configuration: ConditionalUNetConfiguration, _ initializer: inout ParameterInitializer
  ) {
    let last = configuration.levels - 1
    let channels = configuration.blockOutChannels[last]
    var style = configuration.residualStyle
    style.outputScale = configuration.midBlockScaleFactor
    first = ResidualBlock(
      inputs: channels, outputs: channels, style: style, initializer: &initializer)
    transformer = SpatialTransformer(
      channels: channels, configuration.transformerStyle(level: last, onlyCross: false),
      &initializer)
    second = ResidualBlock(
      inputs: channels, outputs: channels, style: style, initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor, time: Tensor, text: Tensor, mode: ExecutionMode) -> Tensor {
    let hidden = transformer(first(x, time: time, mode: mode.part(0)), text: text, mode: mode)
    return second(hidden, time: time, mode: mode.part(1))
  }

  /// `attentions.0`, `resnets.0`, `resnets.1`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("attentions.0", &transformer)
    try list.module("resnets.0", &first)
    try list.module("resnets.1", &second)
  }
}

/// Residual blocks of a level on the way up, each of which takes in a result of the way down, with transformers or none,
/// then what doubles the picture: diffusers' `CrossAttnUpBlock2D` and `UpBlock2D`.
struct ConditionalUpLevel: Module {
  private var transformers: [SpatialTransformer] = []
  private var residuals: [ResidualBlock] = []
  private var upsample: Upsample?

  /// - Parameter step: counted from the innermost level.
  init(
    _ configuration: ConditionalUNetConfiguration, step: Int,
    _ initializer: inout ParameterInitializer
  ) {
    let level = configuration.levels - 1 - step
    let channels = configuration.blockOutChannels
    let (outputs, inputs) = (channels[level], channels[max(0, level - 1)])
    let previous = channels[min(level + 1, channels.count - 1)]
    let layers = configuration.layersPerBlock[level] + 1
    let style = configuration.transformerStyle(
      level: level, onlyCross: configuration.onlyCrossAttention[level])
    for layer in 0..<layers {
      let skip = layer == layers - 1 ? inputs : outputs
      residuals.append(
        ResidualBlock(
          inputs: (layer == 0 ? previous : outputs) + skip, outputs: outputs,
          style: configuration.residualStyle, initializer: &initializer))
      if configuration.upBlocks[step] == .cross {
        transformers.append(SpatialTransformer(channels: outputs, style, &initializer))
      }
    }
    if level > 0 { upsample = Upsample(channels: outputs, initializer: &initializer) }
  }

  /// How many results of the way down it takes in.
  var layers: Int { residuals.count }

  /// - Parameter skips: what the way down gave; those of this level are taken off its end.
  func callAsFunction(
    _ x: Tensor, skips: inout [Tensor], time: Tensor, text: Tensor, mode: ExecutionMode
  ) -> Tensor {
    let hidden = part(0..<layers, x, skips: &skips, time: time, text: text, mode: mode)
    guard let upsample, let next = skips.last else { return hidden }
    let size = (next.shape[1], next.shape[2])
    let isDouble = size == (2 * hidden.shape[1], 2 * hidden.shape[2])
    return upsample(hidden, to: isDouble ? nil : size)
  }

  /// Some of the residual blocks with what stands behind them, one after the other.
  func part(
    _ layers: Range<Int>, _ x: Tensor, skips: inout [Tensor], time: Tensor, text: Tensor,
    mode: ExecutionMode
  ) -> Tensor {
    var hidden = x
    for layer in layers {
      hidden = residuals[layer](
        hidden, skip: skips.removeLast(), time: time, mode: mode.part(layer))
      if !transformers.isEmpty {
        hidden = transformers[layer](hidden, text: text, mode: mode.part(layer))
      }
    }
    return hidden
  }

  /// `attentions`, `resnets`, `upsamplers.0`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("attentions", &transformers)
    try list.modules("resnets", &residuals)
    try list.module("upsamplers.0", &upsample)
  }
}
