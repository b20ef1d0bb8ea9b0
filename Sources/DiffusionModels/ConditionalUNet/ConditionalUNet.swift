import TensorCore
import TensorLayers

/// The U-Net of latent diffusion, which looks at a text through cross-attention (Rombach et al. 2022, section 3.3), with
/// the structure, the configuration and the parameter names of diffusers' `UNet2DConditionModel`.
public struct ConditionalUNet: Module {
  /// What it was made from.
  public let configuration: ConditionalUNetConfiguration
  private var input: Convolution
  private let timeProjection: TimeProjection
  private var timeEmbedding: TimestepEmbedding
  private var guidanceProjection: Linear?
  private var classTable: Embedding?
  private var classEmbedding: TimestepEmbedding?
  private var additionalEmbedding: TimestepEmbedding?
  private var down: [ConditionalDownLevel] = []
  private var up: [ConditionalUpLevel] = []
  private var middle: ConditionalMiddle?
  private var outputNorm: GroupNorm
  private var output: Convolution

  /// What an answer is conditioned on beside the time and the text.
  public struct Extras: Sendable {
    /// A class of the table, or a number that is embedded as a timestep is, for each sample.
    public var classes: [Double]?
    /// Vectors `[batch, projection inputs]` where classes are projected.
    public var classVectors: Tensor?
    /// SDXL's vector of a text, `[batch, width]`.
    public var text: Tensor?
    /// SDXL's six numbers for each sample: the original height and width, the crop's top and left, the target's height
    /// and width (the refiner's five: original height and width, crop, aesthetic score).
    public var sizes: [[Double]]?
    /// The embedded guidance of consistency-distilled models, `[batch, guidance width]`.
    public var guidance: Tensor?

    /// Nothing.
    public init(
      classes: [Double]? = nil, classVectors: Tensor? = nil, text: Tensor? = nil,
      sizes: [[Double]]? = nil, guidance: Tensor? = nil
    ) {
      self.classes = classes
      self.classVectors = classVectors
      self.text = text
      self.sizes = sizes
      self.guidance = guidance
    }
  }

  /// A network whose parameters come from `initializer`.
  public init(
    _ configuration: ConditionalUNetConfiguration, initializer: inout ParameterInitializer
  ) {
    self.configuration = configuration
    let (first, width) = (configuration.blockOutChannels[0], configuration.timeWidth)
    input = Convolution(
      inputs: configuration.inChannels, outputs: first, kernel: 3, padding: 1,
      initializer: &initializer)
    timeProjection = TimeProjection(
      positional: first, flipSinToCos: configuration.flipSinToCos,
      freqShift: configuration.freqShift)
    timeEmbedding = TimestepEmbedding(inputs: first, width: width, initializer: &initializer)
    guidanceProjection = configuration.guidanceWidth.map {
      Linear(inputs: $0, outputs: first, hasBias: false, initializer: &initializer)
    }
    switch configuration.classEmbedding {
    case .timestep:
      classEmbedding = TimestepEmbedding(inputs: first, width: width, initializer: &initializer)
    case .projection:
      classEmbedding = TimestepEmbedding(
        inputs: configuration.projectionInputs ?? 0, width: width, initializer: &initializer)
    case nil:
      classTable = configuration.classCount.map {
        Embedding(count: $0, width: width, initializer: &initializer)
      }
    }
    if configuration.additionalEmbedding == .textTime {
      additionalEmbedding = TimestepEmbedding(
        inputs: configuration.projectionInputs ?? 0, width: width, initializer: &initializer)
    }
    for level in 0..<configuration.levels {
      down.append(ConditionalDownLevel(configuration, level: level, &initializer))
    }
    if configuration.midBlock != nil { middle = ConditionalMiddle(configuration, &initializer) }
    for step in 0..<configuration.levels {
      up.append(ConditionalUpLevel(configuration, step: step, &initializer))
    }
    outputNorm = GroupNorm(
      channels: first, groups: configuration.normGroups, epsilon: configuration.normEpsilon,
      initializer: &initializer)
    output = Convolution(
      inputs: first, outputs: configuration.outChannels, kernel: 3, padding: 1,
      initializer: &initializer)
  }

  /// The parameters, under the names of diffusers' checkpoint.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("conv_in", &input)
    try list.module("time_embedding", &timeEmbedding)
    try list.module("time_embedding.cond_proj", &guidanceProjection)
    try list.module("class_embedding", &classTable)
    try list.module("class_embedding", &classEmbedding)
    try list.module("add_embedding", &additionalEmbedding)
    try list.modules("down_blocks", &down)
    try list.modules("up_blocks", &up)
    try list.module("mid_block", &middle)
    try list.module("conv_norm_out", &outputNorm)
    try list.module("conv_out", &output)
  }
}

// MARK: - Evaluation

extension ConditionalUNet {
  /// The network's answer to noisy latents: epsilon, the latent or the velocity, as it was trained.
  ///
  /// - Parameters:
  ///   - x: `[batch, height, width, in channels]`, of any size.
  ///   - timesteps: one for each sample; may be fractional.
  ///   - text: `[batch, tokens, cross-attention width]`.
  ///   - extras: what the network takes beside them.
  /// - Returns: `[batch, height, width, out channels]`.
  public func callAsFunction(
    _ x: Tensor, timesteps: [Double], text: Tensor, extras: Extras = Extras(),
    mode: ExecutionMode = .inference
  ) -> Tensor {
    answer(x, timesteps: timesteps, text: text, extras: extras, mode: mode).answer
  }

  /// The same, with the deep features: what the outermost level's last block works on, `[batch, height, width, channels]`.
  ///
  /// They change little from one step to the next, while computing them takes nine tenths of the time (Ma, Fang and Wang
  /// 2023, "DeepCache", section 3.2): ``answer(_:timesteps:text:extras:deep:)`` takes them from an earlier step.
  public func answer(
    _ x: Tensor, timesteps: [Double], text: Tensor, extras: Extras = Extras(),
    mode: ExecutionMode = .inference
  ) -> (answer: Tensor, deep: Tensor) {
    check(x, timesteps, text)
    let time = embeddedTime(timesteps, extras, batch: x.shape[0], x.dtype).silu()
    var hidden = input(x)
    var skips = [hidden]
    for (level, block) in down.enumerated() {
      skips += block(hidden, time: time, text: text, mode: mode.part(level))
      hidden = skips[skips.count - 1]
    }
    if let middle {
      hidden = middle(hidden, time: time, text: text, mode: mode.part(down.count))
    }
    func part(_ step: Int) -> ExecutionMode { mode.part(down.count + 1 + step) }
    for (step, block) in up.dropLast().enumerated() {
      hidden = block(hidden, skips: &skips, time: time, text: text, mode: part(step))
    }
    let (outermost, own) = (up[up.count - 1], part(up.count - 1))
    let layers = outermost.layers
    let deep = outermost.part(
      0..<layers - 1, hidden, skips: &skips, time: time, text: text, mode: own)
    hidden = outermost.part(
      layers - 1..<layers, deep, skips: &skips, time: time, text: text, mode: own)
    return (output(outputNorm(hidden, then: configuration.activation)), deep)
  }

  /// The answer with deep features of an earlier step: only the input's convolution and the last block are computed.
  ///
  /// - Parameter deep: what ``answer(_:timesteps:text:extras:mode:)`` gave for latents of the same shape.
  public func answer(
    _ x: Tensor, timesteps: [Double], text: Tensor, extras: Extras = Extras(), deep: Tensor
  ) -> Tensor {
    check(x, timesteps, text)
    require(
      deep.shape.dropLast() == x.shape.dropLast(), "ConditionalUNet",
      "deep features of shape \(deep.shape) do not go with latents \(x.shape)")
    let time = embeddedTime(timesteps, extras, batch: x.shape[0], x.dtype).silu()
    let outermost = up[up.count - 1]
    var skips = [input(x)]
    let hidden = outermost.part(
      outermost.layers - 1..<outermost.layers, deep, skips: &skips, time: time, text: text,
      mode: .inference)
    return output(outputNorm(hidden, then: configuration.activation))
  }

  private func check(_ x: Tensor, _ timesteps: [Double], _ text: Tensor) {
    require(
      x.rank == 4 && x.shape[3] == configuration.inChannels, "ConditionalUNet",
      "x is [batch, height, width, \(configuration.inChannels)], got \(x.shape)")
    require(
      timesteps.count == x.shape[0], "ConditionalUNet",
      "\(timesteps.count) timesteps for \(x.shape[0]) samples: give one for each")
    require(
      text.rank == 3 && text.shape[0] == x.shape[0]
        && text.shape[2] == configuration.crossAttentionWidths[0], "ConditionalUNet",
      "the text is [\(x.shape[0]), tokens, \(configuration.crossAttentionWidths[0])], "
        + "got \(text.shape)")
  }

  /// The time embedding with all that is added to it, before the activation: `[batch, time width]`.
  private func embeddedTime(
    _ timesteps: [Double], _ extras: Extras, batch: Int, _ dtype: DType
  ) -> Tensor {
    var projected = timeProjection(timesteps, dtype: dtype)
    if let guidanceProjection, let guidance = extras.guidance {
      projected = projected + guidanceProjection(guidance)
    }
    var embedding = timeEmbedding(projected)
    if let classVectors = embeddedClasses(extras, batch: batch, dtype) {
      embedding = embedding + classVectors
    }
    if let additionalEmbedding {
      embedding = embedding + additionalEmbedding(additional(extras, batch: batch, dtype))
    }
    return embedding
  }

  private func embeddedClasses(_ extras: Extras, batch: Int, _ dtype: DType) -> Tensor? {
    guard classTable != nil || classEmbedding != nil else { return nil }
    if configuration.classEmbedding == .projection {
      guard let vectors = extras.classVectors else {
        misuse("ConditionalUNet", "it takes class vectors, got none")
      }
      return classEmbedding?(vectors)
    }
    guard let classes = extras.classes, classes.count == batch else {
      misuse(
        "ConditionalUNet",
        "\(extras.classes?.count ?? 0) classes for \(batch) samples: give one for each")
    }
    if let classTable { return classTable(classes.map { Int($0) }) }
    return classEmbedding?(timeProjection(classes, dtype: dtype))
  }

  /// SDXL's text vector and embedded sizes, side by side.
  private func additional(_ extras: Extras, batch: Int, _ dtype: DType) -> Tensor {
    guard let text = extras.text, let sizes = extras.sizes, sizes.count == batch else {
      misuse(
        "ConditionalUNet",
        "it takes a text's vector and \(batch) lists of sizes, got "
          + "\(extras.text.map { "\($0.shape)" } ?? "none") and \(extras.sizes?.count ?? 0)")
    }
    let projection = TimeProjection(
      positional: configuration.additionalTimeWidth ?? 0, flipSinToCos: configuration.flipSinToCos,
      freqShift: configuration.freqShift)
    let embedded = projection(sizes.flatMap { $0 }, dtype: dtype).reshaped([batch, -1])
    return Tensor.concatenated([text, embedded], axis: -1)
  }
}
