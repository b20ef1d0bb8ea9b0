import TensorCore
import TensorLayers

/// CLIP's text encoder (Radford et al. 2021, section 2.4): transformers' `CLIPTextModel`, or with a projection its
/// `CLIPTextModelWithProjection`. Names are those that transformers writes since version 5; see
/// ``CLIPTextEncoder/loadParameters(from:dtype:)`` for the older.
public struct CLIPTextEncoder: Module {
  /// What it was made from.
  public let configuration: CLIPConfiguration
  var tokens: Embedding
  var positions: Embedding
  var encoder: CLIPEncoder
  var finalNorm: LayerNorm
  /// To the space that texts and pictures share, where there is one.
  var projection: Linear?

  /// What is known of some texts.
  public struct Output: Sendable {
    /// What goes into the first layer and what comes out of each, `[batch, tokens, width]`, before the last norm.
    public let hiddenStates: [Tensor]
    /// The last layer's, normed: `[batch, tokens, width]`.
    public let last: Tensor
    /// The normed state of each text's end token, `[batch, width]`.
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
    tokens = Embedding(
      count: configuration.vocabularySize, width: configuration.width, initializer: &initializer)
    positions = Embedding(
      count: configuration.mostTokens, width: configuration.width, initializer: &initializer)
    encoder = CLIPEncoder(configuration, &initializer)
    finalNorm = LayerNorm(
      channels: configuration.width, epsilon: configuration.epsilon, initializer: &initializer)
    if hasProjection {
      projection = Linear(
        inputs: configuration.width, outputs: configuration.projectionWidth, hasBias: false,
        initializer: &initializer)
    }
  }

  /// What is known of texts given by their tokens, all of one length, at most `mostTokens`.
  public func callAsFunction(_ texts: [[Int]], mode: ExecutionMode = .inference) -> Output {
    let length = texts.first?.count ?? 0
    require(
      length > 0 && length <= configuration.mostTokens && texts.allSatisfy { $0.count == length },
      "CLIPTextEncoder",
      "texts of \(texts.map(\.count)) tokens: expected one length of 1 to "
        + "\(configuration.mostTokens)")
    let shape = [texts.count, length, configuration.width]
    let embedded = tokens(texts.flatMap { $0 }).reshaped(shape)
    let states = encoder(embedded + positions(Array(0..<length)), causal: true, mode: mode)
    let last = finalNorm(states[states.count - 1])
    let ends = texts.enumerated().map { $0 * length + endPlace(in: $1) }
    let pooled = last.reshaped([texts.count * length, configuration.width]).embedding(ends)
    return Output(
      hiddenStates: states, last: last, pooled: pooled, projected: projection.map { $0(pooled) })
  }

  /// The states that a diffusion model looks at, with the last `skipped` layers left out.
  ///
  /// - Parameter normed: whether the last norm is applied, as for Stable Diffusion 1 and 2; not for SDXL.
  public func states(_ output: Output, skipping skipped: Int, normed: Bool) -> Tensor {
    let index = output.hiddenStates.count - 1 - skipped
    require(
      skipped >= 0 && index >= 0, "CLIPTextEncoder",
      "\(skipped) of \(configuration.layers) layers are to be left out")
    if normed && skipped == 0 { return output.last }
    return normed ? finalNorm(output.hiddenStates[index]) : output.hiddenStates[index]
  }

  /// Where a text ends: its first end token, or its largest of the vocabulary for configurations that say 2.
  private func endPlace(in text: [Int]) -> Int {
    if configuration.endToken != 2 { return text.firstIndex(of: configuration.endToken) ?? 0 }
    // Learned words have tokens behind the vocabulary's.
    let places = text.indices.filter { text[$0] < configuration.vocabularySize }
    return places.max { (text[$0], -$0) < (text[$1], -$1) } ?? 0
  }

  /// `embeddings`, `encoder`, `final_layer_norm`, `text_projection`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("embeddings.token_embedding", &tokens)
    try list.module("embeddings.position_embedding", &positions)
    try list.module("encoder", &encoder)
    try list.module("final_layer_norm", &finalNorm)
    try list.module("text_projection", &projection)
  }
}
