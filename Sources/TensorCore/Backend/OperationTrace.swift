import Synchronization

/// Records what operations a computation takes and how long each takes, where asked to: for profiling (`bench --ops`).
///
/// An operation is charged with the time since the one before it ended on the thread that calls them, so what little
/// lies between operations is charged to the later one. Records of several threads that compute at once get mixed up.
package final class OperationTrace: Sendable {
  /// The one that every operation reports to.
  package static let shared = OperationTrace()

  /// One operation that was computed.
  package struct Record: Sendable {
    /// Which.
    package let operation: DifferentiableOperation
    /// The result's shape.
    package let shape: [Int]
    /// The operands' shapes.
    package let operands: [[Int]]
    /// Wall time.
    package let seconds: Double
    /// Bytes of the operands and the result.
    package let bytes: Int
  }

  private struct State {
    var records: [Record] = []
    var last = ContinuousClock.now
  }

  private let isOn = Atomic(false)
  private let state = Mutex(State())

  private init() {}

  /// The operations of `body`, in order.
  package func records(of body: () -> Void) -> [Record] {
    state.withLock { $0 = State() }
    isOn.store(true, ordering: .relaxed)
    body()
    isOn.store(false, ordering: .relaxed)
    return state.withLock { $0.records }
  }

  /// Tells of an operation that has just been computed.
  func note(_ operation: DifferentiableOperation, _ result: Tensor, _ operands: [Tensor]) {
    guard isOn.load(ordering: .relaxed) else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      let duration = (now - state.last).components
      state.records.append(
        Record(
          operation: operation, shape: result.shape, operands: operands.map(\.shape),
          seconds: Double(duration.seconds) + 1e-18 * Double(duration.attoseconds),
          bytes: operands.reduce(result.byteCount) { $0 + $1.byteCount }))
      state.last = .now
    }
  }
}
