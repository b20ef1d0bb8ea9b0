import TensorCore
import TensorLayers

/// diffusers' `Upsample2D`: doubles height and width by taking each pixel four times, then (mostly) convolves.
public struct Upsample: Module {
  var convolution: Convolution?

  /// With a 3x3 convolution of `channels` to `outputs` behind, with PyTorch's initialisation.
  public init(
    channels: Int, outputs: Int? = nil, initializer: inout ParameterInitializer
  ) {
    convolution = Convolution(
      inputs: channels, outputs: outputs ?? channels, kernel: 3, padding: 1,
      initializer: &initializer)
  }

  /// Without a convolution; no parameters.
  public init() { convolution = nil }

  /// `[batch, height, width, channels]` gives `[batch, 2 height, 2 width, outputs]`.
  ///
  /// - Parameter size: height and width, where they are not twice those of `x`: those of a picture that was halved with an
  ///   odd side.
  public func callAsFunction(_ x: Tensor, to size: (Int, Int)? = nil) -> Tensor {
    let doubled = size.map { x.resampledNearest(to: $0) } ?? ResidualBlock.Resampling.up(x)
    return convolution.map { $0(doubled) } ?? doubled
  }

  /// `conv`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("conv", &convolution)
  }
}
