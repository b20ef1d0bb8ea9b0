import TensorCore

/// A layer, a block or a whole network: a struct that lists its parameters **once**, under their checkpoint names.
///
/// Everything that is done with parameters (loading, saving, averaging, optimising, recording gradients, counting,
/// converting) is a ``ParameterVisitor``; nothing else knows what a module holds.
///
/// ```swift
/// public struct TimestepEmbedding: Module {
///   var linear1: Linear
///   var linear2: Linear
///
///   public mutating func listParameters<Visitor>(
///     to list: inout ParameterList<Visitor>
///   ) throws(Visitor.Failure) {
///     try list.module("linear_1", &linear1)
///     try list.module("linear_2", &linear2)
///   }
/// }
///
/// var loader = MyVisitor()
/// try network.visit(&loader)      // "time_embedding.linear_1.weight", ...
/// ```
///
/// The order of the list is the order in which PyTorch's module registers its parameters, and is the same at every
/// visit: an optimizer may keep its state by position. A module is a value, so a copy is a snapshot; tensors are
/// shared between copies until one of them is written. Modules hold no state that a call changes: what differs from
/// call to call (training or inference, a key for dropout) is an argument.
public protocol Module: Sendable {
  /// Names every parameter and every child module to `list`, in PyTorch's order of registration.
  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure)
}

extension Module {
  /// Calls `visitor` with every parameter, in order; what it assigns becomes the module's.
  ///
  /// - Parameter prefix: what every name begins with, without the dot; empty for a checkpoint's root.
  public mutating func visit<Visitor: ParameterVisitor>(
    _ visitor: inout Visitor, under prefix: String = ""
  ) throws(Visitor.Failure) {
    try withUnsafeMutablePointer(to: &visitor) { address throws(Visitor.Failure) in
      var list = ParameterList(visitor: address, path: prefix)
      try listParameters(to: &list)
    }
  }
}
