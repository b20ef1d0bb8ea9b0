import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct ModuleTests {
  @Test func namesFollowTheTree() {
    let names = Tree().parameters().map(\.name)
    #expect(names == ["first.weight", "first.bias", "rest.0.weight", "rest.1.weight", "scale"])
    #expect(Tree().parameterCount == 6 + 2 + 6 + 6 + 1)
  }

  @Test func aPrefixComesBeforeEveryName() {
    var visitor = Names()
    var tree = Tree()
    tree.visit(&visitor, under: "model")
    #expect(visitor.names.first == "model.first.weight")
  }

  @Test func noStoredTensorIsMissing() {
    #expect(storedTensorCount(Tree()) == Tree().parameters().count)
    #expect(storedTensorCount(Forgetful()) == 2)
    #expect(Forgetful().parameters().count == 1)
  }

  @Test func watchedParametersAreVariablesInOrder() {
    let (tree, variables) = Tree().watched(by: Tape())
    #expect(
      variables.map(\.name) == ["first.weight", "first.bias", "rest.0.weight", "rest.1.weight"])
    #expect(tree.parameters().filter { $0.tensor.origin != nil }.count == 4)
    #expect(tree.detached.parameters().allSatisfy { $0.tensor.origin == nil })
  }

  @Test func aVisitorWritesInPlace() {
    var tree = Tree()
    let before = tree.parameters().map { Int(bitPattern: $0.tensor.readAddress) }
    var increment = Increment()
    tree.visit(&increment)
    #expect(tree.parameters().map { Int(bitPattern: $0.tensor.readAddress) } == before)
    #expect(tree.parameters()[1].tensor.doubles == [1, 1])
  }

  @Test func aVisitorsErrorStopsTheWalk() {
    var tree = Tree()
    var visitor = Refusing()
    #expect(throws: Refusing.Refusal.refused("rest.0.weight")) { try tree.visit(&visitor) }
    #expect(tree.parameters().count == 5)
  }
}

private struct Leaf: Module {
  var weight = Tensor.zeros([2, 3], dtype: .float64)
  var bias: Tensor?

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .linear)
    try list.parameter("bias", &bias, .vector)
  }
}

private struct Tree: Module {
  var first = Leaf(bias: .zeros([2], dtype: .float64))
  var rest = [Leaf(), Leaf()]
  var scale = Tensor.zeros([1], dtype: .float64)

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.module("first", &first)
    try list.modules("rest", &rest)
    try list.parameter("scale", &scale, .vector, isTrainable: false)
  }
}

private struct Forgetful: Module {
  var weight = Tensor.zeros([1])
  var forgotten = [Tensor.zeros([1])]

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .vector)
  }
}

private struct Names: ParameterVisitor {
  var names: [String] = []
  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    names.append(parameter.name)
  }
}

private struct Increment: ParameterVisitor {
  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    tensor.withMutableElements(as: Double.self) { values in
      for index in values.indices { values[index] += 1 }
    }
  }
}

private struct Refusing: ParameterVisitor {
  enum Refusal: Error, Equatable { case refused(String) }
  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) throws(Refusal) {
    if parameter.name.contains("rest") { throw .refused(parameter.name) }
  }
}
