import TensorCore

/// Two-dimensional transposed convolution over `x [batch, height, width, inputs]`. PyTorch's `nn.ConvTranspose2d`.
public struct TransposedConvolution: Module {
  /// `[kernel height, kernel width, outputs / groups, inputs]` in memory.
  public var weight: Tensor
  /// `[outputs]`, where there is one.
  public var bias: Tensor?
  /// Rows and columns of the result from one of the input to the next.
  public let stride: Int
  /// Rows and columns that are cut off all around.
  public let padding: Int
  /// Rows and columns that are added below and to the right.
  public let outputPadding: Int
  /// Distance between the kernel's elements.
  public let dilation: Int
  /// Groups of channels that do not see each other.
  public let groups: Int

  /// A layer with a square kernel and PyTorch's initialisation: first the weight, then the bias.
  public init(
    inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1, hasBias: Bool = true,
    initializer: inout ParameterInitializer
  ) {
    let shape = [inputs, outputs / groups, kernel, kernel]
    weight = initializer.weight(shape, .transposedConvolution)
    bias = hasBias ? initializer.bias(outputs, weight: shape) : nil
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.dilation = dilation
    self.groups = groups
  }

  /// The layer applied to `x [batch, height, width, inputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.transposeConvolved(
      with: weight, bias: bias, stride: (stride, stride), padding: Padding(padding),
      outputPadding: (outputPadding, outputPadding), dilation: (dilation, dilation),
      groups: groups)
  }

  /// `weight`, `bias`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .transposedConvolution)
    try list.parameter("bias", &bias, .vector)
  }
}
