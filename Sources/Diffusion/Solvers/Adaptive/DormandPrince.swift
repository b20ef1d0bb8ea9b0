import Foundation
import TensorCore

/// The probability-flow ODE (Song et al. 2021, equation 13) by Dormand and Prince's method of order 5 with an error estimate
/// of order 4, and a proportional-integral controller of the step (Hairer, Norsett and Wanner 1993, sections II.4 and IV.2).
///
/// It is integrated over the angle `theta = atan(noise / signal)` of `z = x / sqrt(signal^2 + noise^2)`,
/// `dz/dtheta = (z cos(theta) - D) / sin(theta)`: v of Salimans and Ho 2022, of every linear process, bounded from pure
/// noise on. Tolerances are of z, whose scale is the data's; a step is kept where the root mean square over the sample of
/// `error / (absolute + relative max(|z|, |z'|))` is at most 1.
public struct DormandPrince: AdaptiveSolver, Hashable, Codable {
  /// The tolerances.
  public let relative, absolute: Double
  /// 5.
  public var order: Int { 5 }

  /// The solver; 1e-5 is what Song et al. sample with.
  public init(relative: Double = 1e-5, absolute: Double = 1e-5) {
    require(
      relative > 0 && absolute > 0, "DormandPrince",
      "tolerances \(relative) and \(absolute): give numbers above 0")
    self.relative = relative
    self.absolute = absolute
  }

  func position(of level: NoiseLevel) -> Double { atan2(level.noise, level.signal) }
  func level(at position: Double, on interval: Interval) -> NoiseLevel {
    interval.level(ratio: tan(position))
  }
  func canAdapt(over interval: Interval) -> Bool {
    interval.from.noise > 0 && interval.to.noise > 0
  }
  func firstStep(_ length: Double) -> Double { length / 50 }

  /// The plan in which legs that do not end clean are one.
  public static func plan(_ plan: SamplingPlan) -> SamplingPlan {
    plan.merged { $0.from.noise > 0 && $0.to.noise > 0 }
  }

  func attempt<D: Denoiser>(
    _ x: Tensor, _ state: inout AdaptiveMemory.Sample, over leg: Interval,
    asking denoiser: SampleEvaluator<D>
  ) throws(D.Failure) -> Tensor {
    let goal = goal(of: state, on: leg)
    if state.slope == nil { state.slope = try slope(x, state.level, &state, denoiser) }
    // The last stage is the result.
    var (slopes, moved) = ([state.slope ?? x], x)
    for (node, weights) in zip(DormandPrincePair.nodes, DormandPrincePair.weights).dropFirst() {
      let to = node == 1 ? goal.level : level(at: state.position + node * goal.step, on: leg)
      moved = Self.moved(x, state.level, to, goal.step, weights, slopes)
      slopes.append(try slope(moved, to, &state, denoiser))
    }
    let error = error(x, moved, state.level, goal, slopes)
    let isKept = controls(error, &state) || isShortest(goal.step, on: leg)
    state.slope = isKept ? slopes[6] : slopes[0]
    guard isKept else { return x }
    keep(goal, &state, on: leg)
    return moved
  }

  private func slope<D: Denoiser>(
    _ x: Tensor, _ level: NoiseLevel, _ state: inout AdaptiveMemory.Sample,
    _ denoiser: SampleEvaluator<D>
  ) throws(D.Failure) -> Tensor {
    let estimate = try denoiser(x, at: level)
    state.evaluations += 1
    state.denoised = estimate.denoised
    let length = level.totalVariance.squareRoot()
    let (cosine, sine) = (level.signal / length, level.noise / length)
    return Tensor.linearCombination([
      (cosine / sine / length, x), (-1 / sine, estimate.denoised),
    ])
  }

  private static func moved(
    _ x: Tensor, _ from: NoiseLevel, _ to: NoiseLevel, _ step: Double, _ weights: [Double],
    _ slopes: [Tensor]
  ) -> Tensor {
    let (old, new) = (from.totalVariance.squareRoot(), to.totalVariance.squareRoot())
    return Tensor.linearCombination(
      [(new / old, x)] + zip(weights, slopes).map { (new * step * $0, $1) })
  }

  private func error(
    _ x: Tensor, _ moved: Tensor, _ from: NoiseLevel,
    _ goal: (step: Double, level: NoiseLevel, isEnd: Bool), _ slopes: [Tensor]
  ) -> Double {
    let difference = Tensor.linearCombination(
      zip(DormandPrincePair.error, slopes).map { (goal.step * $0, $1) }
    ).doubles
    let (old, new) = (
      from.totalVariance.squareRoot(), goal.level.totalVariance.squareRoot()
    )
    let (before, after) = (x.doubles, moved.doubles)
    let sum = difference.indices.reduce(0.0) { sum, i in
      let scale = max(abs(before[i]) / old, abs(after[i]) / new)
      let share = difference[i] / (absolute + relative * scale)
      return sum + share * share
    }
    return (sum / Double(difference.count)).squareRoot()
  }

  /// Sets the next step, from the error of this one and of the one kept before; says whether this one is kept.
  private func controls(_ error: Double, _ state: inout AdaptiveMemory.Sample) -> Bool {
    guard error.isFinite else { return true }
    let bounded = max(error, 1e-10)
    if error > 1 {
      state.step *= max(0.2, 0.9 * pow(bounded, -0.2))
      return false
    }
    let factor = 0.9 * pow(bounded, -0.7 / 5) * pow(state.errors.first ?? 1e-4, 0.4 / 5)
    state.step *= min(max(factor, 0.2), 5)
    state.errors = [max(bounded, 1e-4)]
    return true
  }
}
