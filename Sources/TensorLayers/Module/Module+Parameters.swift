import TensorCore

extension Module {
  /// The parameters under their checkpoint names, in order and in memory layout.
  public func parameters() -> [(name: String, tensor: Tensor)] {
    var visitor = Collecting()
    var copy = self
    copy.visit(&visitor)
    return visitor.found.map { ($0.parameter.name, $0.tensor) }
  }

  /// What the module says of its parameters, in order.
  public func parameterList() -> [Parameter] {
    var visitor = Collecting()
    var copy = self
    copy.visit(&visitor)
    return visitor.found.map(\.parameter)
  }

  /// How many numbers the parameters hold, those that are not trained included.
  public var parameterCount: Int { parameters().reduce(0) { $0 + $1.tensor.count } }

  /// A copy whose trainable parameters are variables of `tape`, and those variables with their names, in order.
  ///
  /// ```swift
  /// let (network, variables) = model.watched(by: tape)
  /// let gradients = tape.gradients(
  ///   of: loss(network), withRespectTo: variables.map(\.tensor))
  /// ```
  public func watched(by tape: Tape) -> (module: Self, variables: [(name: String, tensor: Tensor)])
  {
    var visitor = Watching(tape: tape)
    var copy = self
    copy.visit(&visitor)
    return (copy, visitor.variables)
  }

  /// A copy whose parameters are not recorded.
  public var detached: Self {
    mapParameters { tensor, _ in tensor.detached }
  }

  /// A copy with the parameters in another element type.
  public func converted(to dtype: DType) -> Self {
    mapParameters { tensor, _ in tensor.converted(to: dtype) }
  }

  /// A copy with every parameter replaced by what `transform` makes of it.
  public func mapParameters(_ transform: (Tensor, Parameter) -> Tensor) -> Self {
    withoutActuallyEscaping(transform) { transform in
      var visitor = Mapping(transform: transform)
      var copy = self
      copy.visit(&visitor)
      return copy
    }
  }
}

private struct Collecting: ParameterVisitor {
  var found: [(parameter: Parameter, tensor: Tensor)] = []

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    found.append((parameter, tensor))
  }
}

private struct Watching: ParameterVisitor {
  let tape: Tape
  var variables: [(name: String, tensor: Tensor)] = []

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    guard parameter.isTrainable else { return }
    tensor = tape.watch(tensor, name: parameter.name)
    variables.append((parameter.name, tensor))
  }
}

private struct Mapping: ParameterVisitor {
  let transform: (Tensor, Parameter) -> Tensor

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    tensor = transform(tensor, parameter)
  }
}
