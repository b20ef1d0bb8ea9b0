import Synchronization

/// Records how tensors are made, so that gradients can be had.
///
/// A tape travels with the tensors: what is made from a tensor that ``watch(_:)`` gave is recorded, everything else
/// costs nothing. There is no global mode.
///
/// ```swift
/// let tape = Tape()
/// let x = tape.watch(Tensor([3.0]))
/// let gradients = tape.gradients(of: (x * x).sum(), withRespectTo: [x])  // [6]
/// ```
public final class Tape: Sendable {
  /// Whether every recorded result is looked through for values that are not finite (slow; to find a fault).
  public let findsNonFinite: Bool
  private let firstFault = Mutex<String?>(nil)

  /// A tape with nothing on it.
  public init(findsNonFinite: Bool = false) { self.findsNonFinite = findsNonFinite }

  /// `tensor` as a variable: what is computed from the result is recorded on this tape.
  ///
  /// - Parameter name: what to call it where a fault is reported.
  public func watch(_ tensor: Tensor, name: String = "variable") -> Tensor {
    let value = tensor.detached
    let origin = Origin(tape: self, name: name, parents: [], pullback: nil)
    if findsNonFinite { examine(value, "parameter or input \(name)") }
    return Tensor(
      storage: value.storage, shape: value.shape, dtype: value.dtype, origin: origin)
  }

  /// The first operation or variable whose values were not finite, where ``findsNonFinite`` is set.
  public var firstNonFinite: String? { firstFault.withLock { $0 } }

  func examine(_ tensor: Tensor, _ name: @autoclosure () -> String) {
    if tensor.isFinite { return }
    let name = name()
    firstFault.withLock { fault in
      if fault == nil { fault = "\(name) (shape \(tensor.shape))" }
    }
  }
}
