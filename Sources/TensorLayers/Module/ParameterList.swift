import TensorCore

/// What a ``Module`` lists its parameters to: puts names together and hands each parameter to the visitor.
public struct ParameterList<Visitor: ParameterVisitor> {
  /// Where the visitor is: a copy of it would share, and so force to be copied, all that it writes in place.
  private let visitor: UnsafeMutablePointer<Visitor>
  private var path: String

  init(visitor: UnsafeMutablePointer<Visitor>, path: String) {
    self.visitor = visitor
    self.path = path
  }

  /// Lists a parameter of the module under `name`.
  public mutating func parameter(
    _ name: String, _ tensor: inout Tensor, _ layout: ParameterLayout, isTrainable: Bool = true
  ) throws(Visitor.Failure) {
    let parameter = Parameter(name: joined(name), layout: layout, isTrainable: isTrainable)
    try visitor.pointee.visit(&tensor, as: parameter)
  }

  /// Lists a parameter that may be absent, as a bias is; an absent one is not visited.
  public mutating func parameter(
    _ name: String, _ tensor: inout Tensor?, _ layout: ParameterLayout, isTrainable: Bool = true
  ) throws(Visitor.Failure) {
    guard var present = tensor.take() else { return }
    do throws(Visitor.Failure) {
      try parameter(name, &present, layout, isTrainable: isTrainable)
    } catch {
      tensor = present
      throw error
    }
    tensor = present
  }

  /// Lists the parameters of a child under `name.`; with an empty name, as if they were the parent's own.
  public mutating func module<Child: Module>(
    _ name: String, _ child: inout Child
  ) throws(Visitor.Failure) {
    let parent = path
    path = joined(name)
    try child.listParameters(to: &self)
    // Not in a `defer`, on which Swift 6.3's optimiser ends in an internal error; after a failure the list is not used again.
    path = parent
  }

  /// Lists the parameters of a child that may be absent.
  public mutating func module<Child: Module>(
    _ name: String, _ child: inout Child?
  ) throws(Visitor.Failure) {
    guard var present = child.take() else { return }
    do throws(Visitor.Failure) {
      try module(name, &present)
    } catch {
      child = present
      throw error
    }
    child = present
  }

  /// Lists the children under `name.0.`, `name.1.` and so on, as PyTorch's `ModuleList` and `Sequential` do.
  public mutating func modules<Child: Module>(
    _ name: String, _ children: inout [Child]
  ) throws(Visitor.Failure) {
    for index in children.indices { try module("\(name).\(index)", &children[index]) }
  }

  private func joined(_ name: String) -> String {
    path.isEmpty ? name : name.isEmpty ? path : "\(path).\(name)"
  }
}
