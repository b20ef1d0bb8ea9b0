import CTensorKernels
import Foundation
import TensorCore

/// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2),
/// with PyTorch's formula; with ``weightDecay`` 0, Adam (Kingma and Ba 2015).
///
/// With g the gradient, t the count of updates and η the learning rate:
/// p ← (1 − η λ) p, m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²,
/// p ← p − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
public struct AdamW: Optimizer {
  /// β₁, how slowly the mean of the gradients follows them.
  public var beta1: Double
  /// β₂, how slowly the mean of their squares does.
  public var beta2: Double
  /// ε, added to the root.
  public var epsilon: Double
  /// λ, the share of a parameter that is taken away each update, times the learning rate.
  public var weightDecay: Double
  /// How many updates were made.
  public var stepCount = 0
  /// The two moments of every parameter.
  public var slots: [[Tensor]] = []
  /// PyTorch's names for the two moments.
  public static let slotNames = ["exp_avg", "exp_avg_sq"]

  /// An optimizer before its first update; the defaults are PyTorch's.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Changes one parameter and its moments.
  public mutating func update(
    _ parameter: inout Tensor, at index: Int, gradient: Tensor, scale: Double, learningRate: Double
  ) {
    let (type, size) = (parameter.dtype.kernelType, parameter.dtype.size)
    let (first, second) = (
      slots[0][index].stateAddress(for: parameter), slots[1][index].stateAddress(for: parameter)
    )
    let (target, source) = (parameter.uniqueAddress(), gradient.readAddress)
    let step = learningRate / (1 - pow(beta1, Double(stepCount)))
    let correction = 1 / (1 - pow(beta2, Double(stepCount))).squareRoot()
    let (keep, beta1, beta2, epsilon) = (1 - learningRate * weightDecay, beta1, beta2, epsilon)
    Backend.prepare()
    Parallel.ranges(parameter.count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_adamw(
        type, range.count, keep, step, beta1, beta2, correction, epsilon, scale, source + start,
        first + start, second + start, target + start)
    }
    withExtendedLifetime(gradient) {}
  }
}
