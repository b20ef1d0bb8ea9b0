import TensorCore
import TensorLayers

/// The half of CLIP that looks at pictures, up to the space that it shares with texts.
public enum CLIPPictureEncoder: Module {
  /// A vision transformer, and the projection behind it; transformers' names.
  case transformer(CLIPVisionEncoder, projection: Linear)
  /// A residual network, which projects itself; OpenAI's names.
  case residual(CLIPResNet)

  /// Side of the pictures that it takes.
  public var imageSize: Int {
    switch self {
    case .transformer(let encoder, _): encoder.configuration.imageSize
    case .residual(let network): network.configuration.imageSize
    }
  }

  /// Normalised pictures `[batch, side, side, channels]` in the shared space: `[batch, projection width]`.
  public func callAsFunction(_ pictures: Tensor, mode: ExecutionMode = .inference) -> Tensor {
    switch self {
    case .transformer(let encoder, let projection): projection(encoder(pictures, mode: mode).pooled)
    case .residual(let network): network(pictures)
    }
  }

  /// `vision_model`, `visual_projection`; of a residual network, `visual`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    switch self {
    case .transformer(var encoder, var projection):
      try list.module("vision_model", &encoder)
      try list.module("visual_projection", &projection)
      self = .transformer(encoder, projection: projection)
    case .residual(var network):
      try list.module("visual", &network)
      self = .residual(network)
    }
  }
}
