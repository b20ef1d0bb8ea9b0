import TensorCore
import TensorLayers

/// The block of tiny autoencoders: three 3x3 convolutions with the activation between, the input added, the activation.
/// A pooled block first adds a wide 1x1 path to its input: 1x1, group norm, activation, 1x1.
public struct TinyBlock: Module {
  private var pool: PooledPath?
  private var convolutions: [Convolution]
  private var skip: Convolution?
  private let activation: Activation

  /// A block with PyTorch's initialisation.
  public init(
    inputs: Int, outputs: Int, activation: Activation, isPooled: Bool = false,
    initializer: inout ParameterInitializer
  ) {
    self.activation = activation
    convolutions = []
    for index in 0..<3 {
      convolutions.append(
        Convolution(
          inputs: index == 0 ? inputs : outputs, outputs: outputs, kernel: 3, padding: 1,
          initializer: &initializer))
    }
    if inputs != outputs {
      skip = Convolution(
        inputs: inputs, outputs: outputs, kernel: 1, hasBias: false, initializer: &initializer)
    }
    if isPooled { pool = PooledPath(channels: inputs, activation, &initializer) }
  }

  /// The block applied to `x [batch, height, width, inputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let input = pool.map { x + $0(x) } ?? x
    var hidden = convolutions[0](input)
    for convolution in convolutions.dropFirst() { hidden = convolution(activation(hidden)) }
    return activation(hidden + (skip.map { $0(input) } ?? input))
  }

  /// `conv.0`, `conv.2`, `conv.4`, `skip`, `pool.0`, `pool.1`, `pool.3`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    for index in convolutions.indices {
      try list.module("conv.\(2 * index)", &convolutions[index])
    }
    try list.module("skip", &skip)
    try list.module("pool", &pool)
  }
}

/// TAEF2's wide path of 1x1 convolutions around a group norm of four groups.
private struct PooledPath: Module {
  var widening: Convolution
  var norm: GroupNorm
  var narrowing: Convolution
  let activation: Activation

  init(channels: Int, _ activation: Activation, _ initializer: inout ParameterInitializer) {
    self.activation = activation
    widening = Convolution(
      inputs: channels, outputs: 4 * channels, kernel: 1, hasBias: false,
      initializer: &initializer)
    norm = GroupNorm(channels: 4 * channels, groups: 4, initializer: &initializer)
    narrowing = Convolution(
      inputs: 4 * channels, outputs: channels, kernel: 1, hasBias: false,
      initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { narrowing(norm(widening(x), then: activation)) }

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("0", &widening)
    try list.module("1", &norm)
    try list.module("3", &narrowing)
  }
}
