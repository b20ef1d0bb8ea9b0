import TensorCore
import TensorLayers

/// CLIP's vision transformer (Radford et al. 2021, section 2.4; Dosovitskiy et al. 2021): transformers' `CLIPVisionModel`,
/// or with a projection its `CLIPVisionModelWithProjection`.
public struct CLIPVisionEncoder: Module {
  /// What it was made from.
  public let configuration: CLIPConfiguration
  var classEmbedding: Tensor
  var patches: Convolution
  var positions: Embedding
  var firstNorm: LayerNorm
  var encoder: CLIPEncoder
  var lastNorm: LayerNorm
  /// To the space that texts and pictures share, where there is one.
  var projection: Linear?

  /// What is known of some pictures.
  public struct Output: Sendable {
    /// What goes into the first layer and what comes out of each, `[batch, 1 + patches, width]`.
    public let hiddenStates: [Tensor]
    /// The normed state of the class token, `[batch, width]`.
    public let pooled: Tensor
    /// ``pooled`` in the shared space, `[batch, projection width]`, where the encoder has a projection.
    public let projected: Tensor?
  }

  /// An encoder whose parameters come from `initializer`.
  public init(
    _ configuration: CLIPConfiguration, hasProjection: Bool = false,
    initializer: inout ParameterInitializer
  ) {
    self.configuration = configuration
    let width = configuration.width
    let side = configuration.imageSize / configuration.patchSize
    classEmbedding = initializer.normal([width])
    patches = Convolution(
      inputs: configuration.channels, outputs: width, kernel: configuration.patchSize,
      stride: configuration.patchSize, hasBias: false, initializer: &initializer)
    positions = Embedding(count: side * side + 1, width: width, initializer: &initializer)
    firstNorm = LayerNorm(
      channels: width, epsilon: configuration.epsilon, initializer: &initializer)
    encoder = CLIPEncoder(configuration, &initializer)
    lastNorm = LayerNorm(
      channels: width, epsilon: configuration.epsilon, initializer: &initializer)
    if hasProjection {
      projection = Linear(
        inputs: width, outputs: configuration.projectionWidth, hasBias: false,
        initializer: &initializer)
    }
  }

  /// What is known of normalised pictures `[batch, side, side, channels]`.
  public func callAsFunction(_ pictures: Tensor, mode: ExecutionMode = .inference) -> Output {
    let side = configuration.imageSize
    require(
      pictures.rank == 4
        && Array(pictures.shape.dropFirst()) == [side, side, configuration.channels],
      "CLIPVisionEncoder",
      "pictures are [batch, \(side), \(side), \(configuration.channels)], got \(pictures.shape)")
    let (batch, width) = (pictures.shape[0], configuration.width)
    let tokens = patches(pictures).reshaped([batch, -1, width])
    let first = classEmbedding.reshaped([1, 1, width]).broadcasted(to: [batch, 1, width])
    let embedded = Tensor.concatenated([first, tokens], axis: 1) + positions.weight
    let states = encoder(firstNorm(embedded), causal: false, mode: mode)
    let last = states[states.count - 1].sliced(axis: 1, 0..<1).reshaped([batch, width])
    let pooled = lastNorm(last)
    return Output(
      hiddenStates: states, pooled: pooled, projected: projection.map { $0(pooled) })
  }

  /// `embeddings`, `pre_layrnorm` (so spelled), `encoder`, `post_layernorm`, `visual_projection`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("embeddings.class_embedding", &classEmbedding, .vector)
    try list.module("embeddings.patch_embedding", &patches)
    try list.module("embeddings.position_embedding", &positions)
    try list.module("pre_layrnorm", &firstNorm)
    try list.module("encoder", &encoder)
    try list.module("post_layernorm", &lastNorm)
    try list.module("visual_projection", &projection)
  }
}
