import TensorCore
import TensorLayers

/// Changes parameters along their gradients, in place, and keeps state for each.
///
/// State is kept by position in the module's list of trainable parameters, which is the same at every visit.
public protocol Optimizer: Sendable {
  /// How many updates were made.
  var stepCount: Int { get set }

  /// The kinds of state a parameter has, by the names they take in a checkpoint (`exp_avg`).
  static var slotNames: [String] { get }

  /// The state: for each of ``slotNames``, one tensor of its parameter's shape for each trainable parameter. Empty
  /// before the first update.
  var slots: [[Tensor]] { get set }

  /// Changes one parameter. ``stepCount`` counts this update already.
  ///
  /// - Parameter scale: what the gradient is to be multiplied by first (clipping, accumulation).
  mutating func update(
    _ parameter: inout Tensor, at index: Int, gradient: Tensor, scale: Double, learningRate: Double)
}

extension Optimizer {
  /// One update of all trainable parameters of `module`.
  ///
  /// No other copy of the module should be alive, or its memory is copied first.
  ///
  /// - Parameters:
  ///   - gradients: one for each trainable parameter, in the order of ``Module/watched(by:)``.
  ///   - scale: what the gradients are to be multiplied by.
  public mutating func update<Network: Module>(
    _ module: inout Network, gradients: [Tensor], scale: Double = 1, learningRate: Double
  ) {
    stepCount += 1
    if slots.isEmpty { slots = Self.slotNames.map { _ in gradients.map { .zeros(like: $0) } } }
    var visitor = Updating(
      optimizer: self, gradients: gradients, scale: scale, learningRate: learningRate)
    slots = []
    module.visit(&visitor)
    self = visitor.optimizer
    require(
      visitor.index == gradients.count, "optimizer",
      "\(gradients.count) gradients for \(visitor.index) trainable parameters")
  }
}

extension Tensor {
  fileprivate static func zeros(like tensor: Tensor) -> Tensor {
    .zeros(tensor.shape, dtype: tensor.dtype)
  }

  /// The address of a state tensor in place, checked against its parameter.
  mutating func stateAddress(for parameter: Tensor) -> UnsafeMutableRawPointer {
    require(
      shape == parameter.shape && dtype == parameter.dtype, "optimizer",
      "state of \(dtype) \(shape) for a parameter of \(parameter.dtype) \(parameter.shape)")
    return uniqueAddress()
  }
}

private struct Updating<Method: Optimizer>: ParameterVisitor {
  var optimizer: Method
  let gradients: [Tensor]
  let scale: Double
  let learningRate: Double
  var index = 0

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    guard parameter.isTrainable else { return }
    require(index < gradients.count, "optimizer", "no gradient for \(parameter.name)")
    let gradient = gradients[index]
    require(
      gradient.shape == tensor.shape && gradient.dtype == tensor.dtype, "optimizer",
      "\(parameter.name) is \(tensor.dtype) \(tensor.shape), its gradient "
        + "\(gradient.dtype) \(gradient.shape)")
    optimizer.update(
      &tensor, at: index, gradient: gradient, scale: scale, learningRate: learningRate)
    index += 1
  }
}
