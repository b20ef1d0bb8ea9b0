import TensorCore
import TensorLayers

extension Attention {
  /// Attention in a block of residual blocks: its norm has their groups, 32 where they have NCSN++'s.
  init(
    channels: Int, headWidth: Int, style: ResidualBlock.Style,
    _ initializer: inout ParameterInitializer
  ) {
    self.init(
      channels: channels, headWidth: headWidth, groups: style.groups ?? 32,
      epsilon: style.epsilon, outputScale: style.outputScale, initializer: &initializer)
  }
}

/// diffusers' `ResnetBlock2D`: norm, activation, convolution, the time, norm, activation, dropout, convolution, plus the
/// input (through a 1x1 convolution where the channels change); with a change of size it halves or doubles both the
/// activated input and the shortcut before the first convolution.
public struct ResidualBlock: Module {
  /// What a block does to the picture's size.
  public enum Resampling: Sendable {
    /// Nothing.
    case none
    /// Halves height and width: the mean of each two by two pixels.
    case down
    /// Doubles height and width: each pixel four times.
    case up
    /// Halves through the filter of `Tensor.halvedBinomially()`.
    case filteredDown
    /// Doubles through the filter of `Tensor.doubledBinomially()`.
    case filteredUp

    func callAsFunction(_ x: Tensor) -> Tensor {
      switch self {
      case .none: x
      case .down: x.averagePooled((2, 2))
      case .up: x.upsampledNearest(by: 2)
      case .filteredDown: x.halvedBinomially()
      case .filteredUp: x.doubledBinomially()
      }
    }
  }

  /// What all residual blocks of a network have in common.
  public struct Style: Sendable {
    /// Width of the time embedding; `nil` for a block without time.
    public var timeWidth: Int?
    /// Groups of the norms; `nil` for NCSN++'s: groups of 4 channels, but no more than 32 of them.
    public var groups: Int?
    /// Added to the norms' variances.
    public var epsilon: Double
    /// The activation behind the norms.
    public var activation: Activation
    /// How the time comes in.
    public var timeConditioning: TimeConditioningKind
    /// Share of the elements dropped in training.
    public var dropout: Double
    /// What the sum with the shortcut is divided by.
    public var outputScale: Double

    /// diffusers' defaults.
    public init(
      timeWidth: Int? = 512, groups: Int? = 32, epsilon: Double = 1e-6,
      activation: Activation = .swish, timeConditioning: TimeConditioningKind = .shift,
      dropout: Double = 0, outputScale: Double = 1
    ) {
      self.timeWidth = timeWidth
      self.groups = groups
      self.epsilon = epsilon
      self.activation = activation
      self.timeConditioning = timeConditioning
      self.dropout = dropout
      self.outputScale = outputScale
    }

    /// The groups of a norm over `channels`.
    func groups(of channels: Int) -> Int { groups ?? max(1, min(channels / 4, 32)) }

    /// That of NCSN++'s skip blocks: its groups, and sums divided by the square root of 2.
    var progressive: Style {
      var style = self
      style.groups = nil
      style.outputScale = 2.0.squareRoot()
      return style
    }
  }

  var norm1: GroupNorm
  var conv1: Convolution
  var timeProjection: Linear?
  var norm2: GroupNorm
  var conv2: Convolution
  var shortcut: Convolution?
  private let style: Style
  private let resampling: Resampling

  /// A block with PyTorch's initialisation.
  ///
  /// - Parameters:
  ///   - hasShortcut: whether the shortcut is a 1x1 convolution; `nil` where that is so if the channels change.
  ///   - inputGroups: groups of the first norm, where they are not the style's.
  public init(
    inputs: Int, outputs: Int, style: Style, resampling: Resampling = .none,
    hasShortcut: Bool? = nil, inputGroups: Int? = nil, initializer: inout ParameterInitializer
  ) {
    self.style = style
    self.resampling = resampling
    norm1 = GroupNorm(
      channels: inputs, groups: inputGroups ?? style.groups(of: inputs), epsilon: style.epsilon,
      initializer: &initializer)
    conv1 = Convolution(
      inputs: inputs, outputs: outputs, kernel: 3, padding: 1, initializer: &initializer)
    let projected = style.timeConditioning == .shift ? outputs : 2 * outputs
    timeProjection = style.timeWidth.map {
      Linear(inputs: $0, outputs: projected, initializer: &initializer)
    }
    norm2 = GroupNorm(
      channels: outputs, groups: style.groups(of: outputs), epsilon: style.epsilon,
      initializer: &initializer)
    conv2 = Convolution(
      inputs: outputs, outputs: outputs, kernel: 3, padding: 1, initializer: &initializer)
    if hasShortcut ?? (inputs != outputs) {
      shortcut = Convolution(
        inputs: inputs, outputs: outputs, kernel: 1, initializer: &initializer)
    }
  }

  /// The block applied to `x [batch, height, width, inputs]`.
  ///
  /// - Parameters:
  ///   - skip: further channels, put behind those of `x`.
  ///   - time: the time embedding `[batch, time width]`, **after** the activation (all blocks share it).
  public func callAsFunction(
    _ x: Tensor, skip: Tensor? = nil, time: Tensor?, mode: ExecutionMode = .inference
  ) -> Tensor {
    let parts = skip.map { [x, $0] } ?? [x]
    let times = timeProjection == nil ? [] : time.map { [$0] } ?? []
    return run(parts + times, mode) { block, inputs, mode in
      let x = parts.count == 1 ? inputs[0] : Tensor.concatenated([inputs[0], inputs[1]], axis: -1)
      return block.computed(x, times.isEmpty ? nil : inputs[parts.count], mode)
    }
  }

  private func computed(_ x: Tensor, _ time: Tensor?, _ mode: ExecutionMode) -> Tensor {
    // In one expression, so that what is done with goes at once and not at the end: at the last level of an autoencoder
    // each tensor is a sixth of what it takes.
    let residual = conv2(
      conditioned(conv1(resampling(norm1(x, then: style.activation))), time)
        .dropped(rate: style.dropout, key: mode.dropout))
    let input = resampling(x)
    let (direct, share) = (shortcut.map { $0(input) } ?? input, 1 / style.outputScale)
    return share == 1
      ? direct + residual : Tensor.linearCombination([(share, direct), (share, residual)])
  }

  /// The second norm and activation, with the time before or behind the norm.
  private func conditioned(_ hidden: Tensor, _ time: Tensor?) -> Tensor {
    guard let timeProjection, let time else { return norm2(hidden, then: style.activation) }
    let projected = timeProjection(time)
    switch style.timeConditioning {
    case .shift:
      let shifted = hidden + projected.reshaped([projected.shape[0], 1, 1, -1])
      return norm2(shifted, then: style.activation)
    case .scaleShift:
      let parts = projected.split(axis: -1, into: 2)
      let fuses = style.activation.isSiLU
      let y = norm2(hidden, scale: parts[0], shift: parts[1], thenSiLU: fuses)
      return fuses ? y : style.activation(y)
    }
  }

  /// `norm1`, `conv1`, `time_emb_proj`, `norm2`, `conv2`, `conv_shortcut`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("norm1", &norm1)
    try list.module("conv1", &conv1)
    try list.module("time_emb_proj", &timeProjection)
    try list.module("norm2", &norm2)
    try list.module("conv2", &conv2)
    try list.module("conv_shortcut", &shortcut)
  }
}
