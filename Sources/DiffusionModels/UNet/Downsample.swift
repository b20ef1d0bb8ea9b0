import TensorCore
import TensorLayers

/// diffusers' `Downsample2D`: halves height and width by a convolution of stride 2, or by the mean of each two by two pixels
/// where it has none.
public struct Downsample: Module {
  var convolution: Convolution?

  /// A convolution of `channels` to `outputs` with PyTorch's initialisation.
  ///
  /// - Parameter padding: zeros around the picture; 0 puts one row below and one column to the right.
  public init(
    channels: Int, outputs: Int? = nil, padding: Int = 1, initializer: inout ParameterInitializer
  ) {
    convolution = Convolution(
      inputs: channels, outputs: outputs ?? channels, kernel: 3, stride: 2,
      padding: padding == 0 ? Padding(bottom: 1, right: 1) : Padding(padding),
      initializer: &initializer)
  }

  /// The mean; no parameters.
  public init() { convolution = nil }

  /// `[batch, height, width, channels]` gives `[batch, height / 2, width / 2, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolution.map { $0(x) } ?? ResidualBlock.Resampling.down(x)
  }

  /// `conv`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("conv", &convolution)
  }
}
