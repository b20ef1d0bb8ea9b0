import TensorCore

extension Module {
  /// `body` of this module and `inputs` without keeping what it computes on the way; the backward pass runs it a second
  /// time. Gradients reach the inputs and the trainable parameters.
  ///
  /// See ``TensorCore/Tensor/checkpointed(_:_:)`` for what is asked of `body`.
  public func checkpointed(
    _ inputs: [Tensor], _ body: @escaping @Sendable (Self, [Tensor]) -> Tensor
  ) -> Tensor {
    let tensors = parameters().map(\.tensor)
    let constant = detached
    return Tensor.checkpointed(inputs + tensors) { operands in
      var replacing = Replacing(tensors: operands[inputs.count...])
      var module = constant
      module.visit(&replacing)
      return body(module, Array(operands[..<inputs.count]))
    }
  }
}

private struct Replacing: ParameterVisitor {
  var tensors: ArraySlice<Tensor>

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    if let next = tensors.popFirst() { tensor = next }
  }
}
