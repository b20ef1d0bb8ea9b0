import Synchronization

/// Gives each operand's gradient (or `nil` for one that needs none) from the result's.
package typealias Pullback = @Sendable (_ gradient: Tensor, _ needed: [Bool]) -> [Tensor?]

/// How a recorded tensor was made: the operation, its operands' origins, and its pullback.
///
/// Never changed once made. A pullback captures detached tensors only, so that the operands' origins are held here
/// alone and a long chain can be freed without recursion.
package final class Origin: @unchecked Sendable {
  private static let nextOrder = Atomic<Int>(0)

  let tape: Tape
  /// Rises with time: an operand's order is always below its result's, so falling order is a topological one.
  let order: Int
  /// What made the tensor: an operation's name, or a variable's.
  let name: String
  let pullback: Pullback?
  /// One for each operand; `nil` for those that were not recorded. Emptied only while being freed.
  private(set) var parents: [Origin?]

  init(tape: Tape, name: String, parents: [Origin?], pullback: Pullback?) {
    self.tape = tape
    order = Self.nextOrder.add(1, ordering: .relaxed).oldValue
    self.name = name
    self.parents = parents
    self.pullback = pullback
  }

  /// Frees the chain behind this origin in a loop: ten thousand steps of a sampler would overflow the stack.
  deinit {
    var waiting = parents.compactMap { $0 }
    parents = []
    while var origin = waiting.popLast() {
      if isKnownUniquelyReferenced(&origin) {
        waiting.append(contentsOf: origin.parents.compactMap { $0 })
        origin.parents = []
      }
    }
  }
}

extension Tensor {
  /// This result with the memory of how it was made, where any of `operands` is recorded; else as it is.
  ///
  /// The pullback gets the gradient of this result and, for each operand, whether its gradient is needed; it answers
  /// with one entry for each operand. It must capture **detached** tensors only.
  package func recorded(
    as operation: DifferentiableOperation, from operands: [Tensor], pullback: @escaping Pullback
  ) -> Tensor {
    OperationTrace.shared.note(operation, self, operands)
    guard let tape = operands.lazy.compactMap({ $0.origin?.tape }).first else { return self }
    if tape.findsNonFinite { tape.examine(self, operation.rawValue) }
    let origin = Origin(
      tape: tape, name: operation.rawValue, parents: operands.map(\.origin), pullback: pullback)
    return Tensor(storage: storage, shape: shape, dtype: dtype, origin: origin)
  }
}
