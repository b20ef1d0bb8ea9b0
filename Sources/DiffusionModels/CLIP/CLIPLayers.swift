import TensorCore
import TensorLayers

/// The layers that CLIP's two encoders share: layer norm, attention, layer norm, perceptron, each added to its input
/// (Radford et al. 2021, section 2.4; transformers' `CLIPEncoder`).
struct CLIPEncoder: Module {
  private var layers: [CLIPLayer] = []

  init(_ configuration: CLIPConfiguration, _ initializer: inout ParameterInitializer) {
    for _ in 0..<configuration.layers { layers.append(CLIPLayer(configuration, &initializer)) }
  }

  /// What goes into the first layer, and what comes out of each.
  func callAsFunction(_ x: Tensor, causal: Bool, mode: ExecutionMode) -> [Tensor] {
    var states = [x]
    for layer in layers {
      states.append(layer(states[states.count - 1], causal: causal, mode: mode))
    }
    return states
  }

  /// `layers`.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.modules("layers", &layers)
  }
}

private struct CLIPLayer: Module {
  var key: Linear
  var value: Linear
  var query: Linear
  var output: Linear
  var norm1: LayerNorm
  var widening: Linear
  var narrowing: Linear
  var norm2: LayerNorm
  let heads: Int
  let activation: CLIPActivation

  init(_ configuration: CLIPConfiguration, _ initializer: inout ParameterInitializer) {
    let (width, inner) = (configuration.width, configuration.innerWidth)
    func square(_ initializer: inout ParameterInitializer) -> Linear {
      Linear(inputs: width, outputs: width, initializer: &initializer)
    }
    (heads, activation) = (configuration.heads, configuration.activation)
    key = square(&initializer)
    value = square(&initializer)
    query = square(&initializer)
    output = square(&initializer)
    norm1 = LayerNorm(
      channels: width, epsilon: configuration.epsilon, initializer: &initializer)
    widening = Linear(inputs: width, outputs: inner, initializer: &initializer)
    narrowing = Linear(inputs: inner, outputs: width, initializer: &initializer)
    norm2 = LayerNorm(
      channels: width, epsilon: configuration.epsilon, initializer: &initializer)
  }

  func callAsFunction(_ x: Tensor, causal: Bool, mode: ExecutionMode) -> Tensor {
    run([x], mode) { layer, inputs, _ in layer.computed(inputs[0], causal) }
  }

  private func computed(_ x: Tensor, _ causal: Bool) -> Tensor {
    let normed = norm1(x)
    let attended = Tensor.attention(
      query: query(normed), key: key(normed), value: value(normed), heads: heads, causal: causal)
    let middle = x + output(attended)
    let wide = widening(norm2(middle))
    return middle + narrowing(wide.gelu(activation == .gelu ? .erf : .quick))
  }

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("self_attn.k_proj", &key)
    try list.module("self_attn.v_proj", &value)
    try list.module("self_attn.q_proj", &query)
    try list.module("self_attn.out_proj", &output)
    try list.module("layer_norm1", &norm1)
    try list.module("mlp.fc1", &widening)
    try list.module("mlp.fc2", &narrowing)
    try list.module("layer_norm2", &norm2)
  }
}
