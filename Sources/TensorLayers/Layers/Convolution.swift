import TensorCore

/// Two-dimensional convolution over `x [batch, height, width, inputs]`. PyTorch's `nn.Conv2d`, channels last.
public struct Convolution: Module {
  /// `[kernel height, kernel width, inputs / groups, outputs]` in memory.
  public var weight: Tensor
  /// `[outputs]`, where there is one.
  public var bias: Tensor?
  /// Rows and columns from one place of the kernel to the next.
  public let stride: Int
  /// Zeros around the picture.
  public let padding: Padding
  /// Distance between the kernel's elements.
  public let dilation: Int
  /// Groups of channels that do not see each other.
  public let groups: Int

  /// A layer with a square kernel and PyTorch's initialisation: first the weight, then the bias.
  public init(
    inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Padding,
    dilation: Int = 1, groups: Int = 1, hasBias: Bool = true,
    initializer: inout ParameterInitializer
  ) {
    let shape = [outputs, inputs / groups, kernel, kernel]
    weight = initializer.weight(shape, .convolution)
    bias = hasBias ? initializer.bias(outputs, weight: shape) : nil
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// The same with `padding` on all sides.
  public init(
    inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
    groups: Int = 1, hasBias: Bool = true, initializer: inout ParameterInitializer
  ) {
    self.init(
      inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: Padding(padding),
      dilation: dilation, groups: groups, hasBias: hasBias, initializer: &initializer)
  }

  /// The layer applied to `x [batch, height, width, inputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    weight.whileUsed {
      x.convolved(
        with: weight, bias: bias, stride: (stride, stride), padding: padding,
        dilation: (dilation, dilation), groups: groups)
    }
  }

  /// `weight`, `bias`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .convolution)
    try list.parameter("bias", &bias, .vector)
  }
}
