import TensorCore

/// Something that is done with every parameter of a ``Module``.
///
/// ```swift
/// struct Doubling: ParameterVisitor {
///   mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
///     if parameter.isTrainable { tensor = tensor * 2 }
///   }
/// }
/// ```
public protocol ParameterVisitor {
  /// What can go wrong; `Never` where nothing can.
  associatedtype Failure: Error = Never

  /// Reads or replaces one parameter. `tensor` is in memory layout; `parameter.layout` leads to the file's.
  ///
  /// A tensor may be written in place (``Tensor/withMutableElements(as:_:)``): no copy is made where only the module
  /// holds it.
  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) throws(Failure)
}

/// What a module says of one of its parameters.
public struct Parameter: Sendable, Hashable {
  /// The name in a checkpoint, from the module that was visited: `down_blocks.0.resnets.1.conv1.weight`.
  public let name: String
  /// How the file's axes map to memory.
  public let layout: ParameterLayout
  /// Whether optimizers change it. What is not trained (the frequencies of a Fourier embedding) is saved and loaded
  /// like any other, and ``Module/watched(by:)`` leaves it out.
  public let isTrainable: Bool
}
