import Foundation
import TensorCore

/// DPM-Solver with adaptive steps (Lu et al. 2022, arXiv:2206.00927, appendix C): DPM-Solver-2 and -3 (or -1 and -2) share
/// their stages, the difference of the two is the error, and k-diffusion's controller sets the next step in lambda.
///
/// The error is the root mean square over a sample of `(low - high) / max(absolute, relative max(|low|, |previous|))`, in
/// `y = x / signal`; a step is kept where the controller would shorten the next one to no less than 0.81 of it.
public struct DPMAdaptive: AdaptiveSolver, Hashable, Codable {
  /// 2 or 3: the order of the result that is kept.
  public let order: Int
  /// The tolerances.
  public let relative, absolute: Double
  /// The shares that the error's last, proportional and differential part have in the controller.
  public let integral, proportional, differential: Double

  /// The solver, with k-diffusion's numbers by default.
  public init(
    order: Int = 3, relative: Double = 0.05, absolute: Double = 0.0078, integral: Double = 1,
    proportional: Double = 0, differential: Double = 0
  ) {
    require((2...3).contains(order), "DPMAdaptive", "order \(order): give 2 or 3")
    require(
      relative > 0 && absolute > 0, "DPMAdaptive",
      "tolerances \(relative) and \(absolute): give numbers above 0")
    self.order = order
    self.relative = relative
    self.absolute = absolute
    self.integral = integral
    self.proportional = proportional
    self.differential = differential
  }

  func position(of level: NoiseLevel) -> Double { level.lambda }
  func level(at position: Double, on interval: Interval) -> NoiseLevel {
    interval.level(ratio: exp(-position))
  }
  func canAdapt(over interval: Interval) -> Bool { interval.hasLambda }
  func firstStep(_ length: Double) -> Double { 0.05 }

  /// The plan in which legs with noise at both ends are one.
  public static func plan(_ plan: SamplingPlan) -> SamplingPlan { plan.merged(where: \.hasLambda) }

  func attempt<D: Denoiser>(
    _ x: Tensor, _ state: inout AdaptiveMemory.Sample, over leg: Interval,
    asking denoiser: SampleEvaluator<D>
  ) throws(D.Failure) -> Tensor {
    let goal = goal(of: state, on: leg)
    let (low, high) = try pair(x, &state, Interval(from: state.level, to: goal.level), denoiser)
    let signal = goal.level.signal
    let error = Self.error(
      low, high, state.reference ?? x * (1 / state.level.signal), signal, self)
    let isKept = proposes(error, &state) || isShortest(goal.step, on: leg) || !error.isFinite
    guard isKept else { return x }
    keep(goal, &state, on: leg)
    state.slope = nil
    state.reference = low * (1 / signal)
    return high
  }

  /// The results of the lower and the higher order.
  private func pair<D: Denoiser>(
    _ x: Tensor, _ state: inout AdaptiveMemory.Sample, _ step: Interval,
    _ denoiser: SampleEvaluator<D>
  ) throws(D.Failure) -> (low: Tensor, high: Tensor) {
    let coordinates = Coordinates.noise
    if state.slope == nil {
      let estimate = try denoiser(x, at: step.from)
      state.evaluations += 1
      state.denoised = estimate.denoised
      state.slope = coordinates.slope(at: x, estimate, step.from)
    }
    var nodes = [SlopeNode(level: step.from, slope: state.slope ?? x)]
    for share in order == 2 ? [0.5] : [1.0 / 3, 2.0 / 3] {
      let level = step.level(lambdaShare: share)
      let stage = coordinates.exponential(x, from: step.from, to: level, through: nodes)
      let estimate = try denoiser(stage, at: level)
      state.evaluations += 1
      nodes.append(SlopeNode(level: level, slope: coordinates.slope(at: stage, estimate, level)))
    }
    func result(_ nodes: [SlopeNode], _ rule: LinearRule) -> Tensor {
      coordinates.exponential(x, from: step.from, to: step.to, through: nodes, rule: rule)
    }
    if order == 2 { return (result([nodes[0]], .exact), result(nodes, .middle)) }
    return (result([nodes[0], nodes[1]], .middle), result([nodes[0], nodes[2]], .exact))
  }

  private static func error(
    _ low: Tensor, _ high: Tensor, _ previous: Tensor, _ signal: Double, _ solver: Self
  ) -> Double {
    let (lows, highs, previous) = (low.doubles, high.doubles, previous.doubles)
    let sum = lows.indices.reduce(0.0) { sum, i in
      let scale = max(abs(lows[i]) / signal, abs(previous[i]))
      let share = (lows[i] - highs[i]) / signal / max(solver.absolute, solver.relative * scale)
      return sum + share * share
    }
    return (sum / Double(lows.count)).squareRoot()
  }

  /// k-diffusion's controller: sets the next step and says whether this one is kept.
  private func proposes(_ error: Double, _ state: inout AdaptiveMemory.Sample) -> Bool {
    guard error.isFinite else { return true }
    let inverse = 1 / (error + 1e-8)
    if state.errors.isEmpty { state.errors = [inverse, inverse] }
    let order = Double(order)
    let product =
      pow(inverse, (proportional + integral + differential) / order)
      * pow(state.errors[0], -(proportional + 2 * differential) / order)
      * pow(state.errors[1], differential / order)
    let factor = 1 + atan(product - 1)
    state.step *= factor
    guard factor >= 0.81 else { return false }
    state.errors = [inverse, state.errors[0]]
    return true
  }
}
