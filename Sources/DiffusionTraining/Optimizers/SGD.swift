import CTensorKernels
import TensorCore

/// Stochastic gradient descent with momentum, with PyTorch's formula.
///
/// With g the gradient, λ the weight decay, μ the momentum and η the learning rate:
/// d = g + λ p, b ← μ b + d, p ← p − η b, or p ← p − η (d + μ b) with Nesterov's momentum.
public struct SGD: Optimizer {
  /// μ; 0 for none.
  public var momentum: Double
  /// Whether the step looks ahead along the momentum (Nesterov 1983).
  public var nesterov: Bool
  /// λ, added to the gradient times the parameter.
  public var weightDecay: Double
  /// How many updates were made.
  public var stepCount = 0
  /// The momentum of every parameter.
  public var slots: [[Tensor]] = []
  /// PyTorch's name for the momentum.
  public static let slotNames = ["momentum_buffer"]

  /// An optimizer before its first update.
  public init(momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0) {
    require(
      !nesterov || momentum > 0, "SGD", "Nesterov's momentum needs a momentum above 0")
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  /// Changes one parameter and its momentum.
  public mutating func update(
    _ parameter: inout Tensor, at index: Int, gradient: Tensor, scale: Double, learningRate: Double
  ) {
    let (type, size) = (parameter.dtype.kernelType, parameter.dtype.size)
    let velocity = slots[0][index].stateAddress(for: parameter)
    let (target, source) = (parameter.uniqueAddress(), gradient.readAddress)
    let (momentum, nesterov, decay) = (momentum, Int32(nesterov ? 1 : 0), weightDecay)
    Backend.prepare()
    Parallel.ranges(parameter.count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_sgd(
        type, range.count, learningRate, decay, momentum, nesterov, scale, source + start,
        velocity + start, target + start)
    }
    withExtendedLifetime(gradient) {}
  }
}
