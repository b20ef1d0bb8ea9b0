import TensorCore
import TensorLayers

/// CLIP's residual network (Radford et al. 2021, section 2.4): a ResNet-D (He et al. 2019, "Bag of Tricks": three 3x3
/// convolutions as the stem, averaging before the strided shortcut), with every strided convolution made one of stride 1
/// behind which an average is taken (anti-aliasing, Zhang 2019), and attention in place of the last mean.
///
/// OpenAI's `ModifiedResNet`, under OpenAI's names. Inference alone: batch norms use the averages of training.
public struct CLIPResNet: Module {
  /// What it was made from.
  public let configuration: CLIPResNetConfiguration
  private var stem: [NormedConvolution] = []
  private var stages: [[CLIPBottleneck]] = []
  private var pool: AttentionPool

  /// A network whose parameters come from `initializer`.
  public init(
    _ configuration: CLIPResNetConfiguration, initializer: inout ParameterInitializer
  ) {
    self.configuration = configuration
    let width = configuration.width
    for (inputs, outputs, stride) in [
      (3, width / 2, 2), (width / 2, width / 2, 1), (width / 2, width, 1),
    ] {
      stem.append(NormedConvolution(inputs, outputs, kernel: 3, stride: stride, &initializer))
    }
    var channels = width
    for (index, count) in configuration.stages.enumerated() {
      let inner = width << index
      var stage: [CLIPBottleneck] = []
      for block in 0..<count {
        let stride = index > 0 && block == 0 ? 2 : 1
        stage.append(CLIPBottleneck(channels, inner, stride: stride, &initializer))
        channels = 4 * inner
      }
      stages.append(stage)
    }
    pool = AttentionPool(configuration, &initializer)
  }

  /// Normalised pictures `[batch, side, side, 3]` in the shared space: `[batch, projection width]`.
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    let side = configuration.imageSize
    require(
      pictures.rank == 4 && Array(pictures.shape.dropFirst()) == [side, side, 3], "CLIPResNet",
      "pictures are [batch, \(side), \(side), 3], got \(pictures.shape)")
    var x = pictures
    for convolution in stem { x = convolution(x).relu() }
    x = x.averagePooled((2, 2))
    for stage in stages {
      for block in stage { x = block(x) }
    }
    return pool(x)
  }

  /// `conv1`, `bn1` to `conv3`, `bn3`, `layer1` to `layer4`, `attnpool`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    for index in stem.indices {
      try stem[index].list("conv\(index + 1)", "bn\(index + 1)", to: &list)
    }
    for index in stages.indices { try list.modules("layer\(index + 1)", &stages[index]) }
    try list.module("attnpool", &pool)
  }
}

/// A block of CLIP's residual network: 1x1, 3x3, average, 1x1, and the shortcut.
private struct CLIPBottleneck: Module {
  private var convolutions: [NormedConvolution] = []
  private var shortcut: NormedConvolution?
  private let stride: Int

  init(_ inputs: Int, _ inner: Int, stride: Int, _ initializer: inout ParameterInitializer) {
    self.stride = stride
    let outputs = 4 * inner
    convolutions.append(NormedConvolution(inputs, inner, kernel: 1, &initializer))
    convolutions.append(NormedConvolution(inner, inner, kernel: 3, &initializer))
    convolutions.append(NormedConvolution(inner, outputs, kernel: 1, &initializer))
    if stride > 1 || inputs != outputs {
      shortcut = NormedConvolution(inputs, outputs, kernel: 1, &initializer)
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var hidden = convolutions[1](convolutions[0](x).relu()).relu()
    hidden = convolutions[2](shrunk(hidden))
    return (hidden + (shortcut.map { $0(shrunk(x)) } ?? x)).relu()
  }

  private func shrunk(_ x: Tensor) -> Tensor {
    stride > 1 ? x.averagePooled((stride, stride)) : x
  }

  /// `conv1`, `bn1` to `conv3`, `bn3`, `downsample.0`, `downsample.1`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    for index in convolutions.indices {
      try convolutions[index].list("conv\(index + 1)", "bn\(index + 1)", to: &list)
    }
    if var present = shortcut.take() {
      defer { shortcut = present }
      try present.list("downsample.0", "downsample.1", to: &list)
    }
  }
}

/// A convolution without bias and a batch norm (Ioffe and Szegedy 2015) whose mean and variance are those of training: together
/// one convolution, of weights `w g / sqrt(v + e)` and bias `b - m g / sqrt(v + e)`.
struct NormedConvolution: Sendable {
  private var convolution: Convolution
  private var scale: Tensor
  private var shift: Tensor
  private var mean: Tensor
  private var variance: Tensor

  private static let epsilon = 1e-5

  init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    _ initializer: inout ParameterInitializer
  ) {
    convolution = Convolution(
      inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: kernel / 2,
      hasBias: false, initializer: &initializer)
    scale = initializer.constant(1, [outputs])
    shift = initializer.constant(0, [outputs])
    mean = initializer.constant(0, [outputs])
    variance = initializer.constant(1, [outputs])
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let factor = scale / (variance + Self.epsilon).sqrt()
    return x.convolved(
      with: convolution.weight * factor, bias: shift - mean * factor,
      stride: (convolution.stride, convolution.stride), padding: convolution.padding)
  }

  /// The two under their names, which stand side by side.
  mutating func list<Visitor: ParameterVisitor>(
    _ convolutionName: String, _ normName: String, to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module(convolutionName, &convolution)
    try list.parameter("\(normName).weight", &scale, .vector)
    try list.parameter("\(normName).bias", &shift, .vector)
    try list.parameter("\(normName).running_mean", &mean, .vector, isTrainable: false)
    try list.parameter("\(normName).running_var", &variance, .vector, isTrainable: false)
  }
}

/// Attention of the mean over all places of a grid to the mean and the places (Radford et al. 2021, section 2.4).
private struct AttentionPool: Module {
  private var positions: Tensor
  private var key: Linear
  private var query: Linear
  private var value: Linear
  private var output: Linear
  private let heads: Int

  init(_ configuration: CLIPResNetConfiguration, _ initializer: inout ParameterInitializer) {
    let (width, side) = (configuration.pooledWidth, configuration.pooledSide)
    heads = configuration.heads
    positions = initializer.normal(
      [side * side + 1, width], deviation: 1 / Double(width).squareRoot())
    key = Linear(inputs: width, outputs: width, initializer: &initializer)
    query = Linear(inputs: width, outputs: width, initializer: &initializer)
    value = Linear(inputs: width, outputs: width, initializer: &initializer)
    output = Linear(
      inputs: width, outputs: configuration.projectionWidth, initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (batch, width) = (x.shape[0], x.shape[3])
    let places = x.reshaped([batch, -1, width])
    let mean = places.mean(axes: [1], keepingDimensions: true)
    let tokens = Tensor.concatenated([mean, places], axis: 1) + positions
    let first = tokens.sliced(axis: 1, 0..<1)
    let pooled = Tensor.attention(
      query: query(first), key: key(tokens), value: value(tokens), heads: heads)
    return output(pooled).reshaped([batch, -1])
  }

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("positional_embedding", &positions, .embedding)
    try list.module("k_proj", &key)
    try list.module("q_proj", &query)
    try list.module("v_proj", &value)
    try list.module("c_proj", &output)
  }
}
