import Synchronization

/// The last result of a computation, given again while what it is computed from is the very same memory.
///
/// It keeps its operands, so that writing to one of them copies that first and is noticed. What gradients are asked of is
/// neither kept nor given.
package final class LastResult: Sendable {
  private struct State {
    var operands: [Tensor]
    var products: ProductPrecision
    var results: [Tensor]
  }

  private let state = Mutex<State?>(nil)

  /// Nothing yet.
  package init() {}

  /// What `compute` gave for these operands.
  package func of(_ operands: [Tensor], _ compute: () -> [Tensor]) -> [Tensor] {
    if operands.contains(where: { $0.origin != nil }) { return compute() }
    let products = Backend.products
    let known = state.withLock { state -> [Tensor]? in
      guard let state, state.products == products, state.operands.count == operands.count,
        zip(state.operands, operands).allSatisfy({ $0.hasMemory(of: $1) })
      else { return nil }
      return state.results
    }
    if let known { return known }
    let results = compute()
    state.withLock { $0 = State(operands: operands, products: products, results: results) }
    return results
  }
}

extension Tensor {
  /// Whether the elements are the same because they lie in the same memory.
  fileprivate func hasMemory(of other: Tensor) -> Bool {
    storage === other.storage && shape == other.shape && dtype == other.dtype
  }
}
