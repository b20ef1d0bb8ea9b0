import Foundation
import TensorCore
import TensorLayers

/// CLIP: an encoder of texts and one of pictures into one space (Radford et al. 2021, figure 3). transformers' `CLIPModel`.
public struct CLIPPair: Module {
  /// The half that reads texts.
  public private(set) var text: CLIPTextEncoder
  /// The half that looks at pictures, with its projection.
  public private(set) var picture: CLIPPictureEncoder
  var textProjection: Linear
  /// The logarithm of what cosines are multiplied by, `[]`; kept below log 100 in training.
  var logScale: Tensor

  /// A pair with a vision transformer, whose parameters come from `initializer`; the scale begins at 1 / 0.07.
  public init(
    text: CLIPConfiguration, vision: CLIPConfiguration, projectionWidth: Int = 512,
    initializer: inout ParameterInitializer
  ) {
    self.text = CLIPTextEncoder(text, initializer: &initializer)
    let encoder = CLIPVisionEncoder(vision, initializer: &initializer)
    let projection = Linear(
      inputs: vision.width, outputs: projectionWidth, hasBias: false, initializer: &initializer)
    picture = .transformer(encoder, projection: projection)
    textProjection = Linear(
      inputs: text.width, outputs: projectionWidth, hasBias: false, initializer: &initializer)
    logScale = initializer.constant(log(1 / 0.07), [])
  }

  /// A pair with a residual network, whose parameters come from `initializer`.
  public init(
    text: CLIPConfiguration, vision: CLIPResNetConfiguration,
    initializer: inout ParameterInitializer
  ) {
    self.text = CLIPTextEncoder(text, initializer: &initializer)
    picture = .residual(CLIPResNet(vision, initializer: &initializer))
    textProjection = Linear(
      inputs: text.width, outputs: vision.projectionWidth, hasBias: false,
      initializer: &initializer)
    logScale = initializer.constant(log(1 / 0.07), [])
  }

  /// What cosines are multiplied by.
  public var scale: Double { exp(logScale.doubles[0]) }

  /// Texts, given by their tokens, as vectors of length 1: `[texts, projection width]`.
  public func embedded(texts: [[Int]], mode: ExecutionMode = .inference) -> Tensor {
    Self.normalized(textProjection(text(texts, mode: mode).pooled))
  }

  /// Normalised pictures `[batch, side, side, channels]` as vectors of length 1: `[batch, projection width]`.
  public func embedded(pictures: Tensor, mode: ExecutionMode = .inference) -> Tensor {
    Self.normalized(picture(pictures, mode: mode))
  }

  /// How well each picture goes with each text: `[pictures, texts]`, cosines times the scale.
  public func logits(pictures: Tensor, texts: Tensor) -> Tensor {
    pictures.matmul(texts, transposeB: true) * logScale.exp()
  }

  /// The symmetric contrastive loss of pictures and texts of which the i-th belong together (Radford et al. 2021, figure
  /// 3): the mean of both directions' cross-entropies, `[]`.
  public func contrastiveLoss(pictures: Tensor, texts: Tensor) -> Tensor {
    let logits = logits(pictures: pictures, texts: texts)
    let own = Array(0..<logits.shape[0])
    return (logits.crossEntropy(own) + logits.permuted([1, 0]).crossEntropy(own)) * 0.5
  }

  /// Vectors brought to length 1 along the last axis.
  public static func normalized(_ x: Tensor) -> Tensor {
    x / (x * x).sum(axes: [x.rank - 1], keepingDimensions: true).sqrt()
  }

  /// `logit_scale`, `text_model`, `vision_model`, `visual_projection`, `text_projection`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("logit_scale", &logScale, .vector)
    try list.module("text_model", &text)
    try list.module("", &picture)
    try list.module("text_projection", &textProjection)
  }
}
