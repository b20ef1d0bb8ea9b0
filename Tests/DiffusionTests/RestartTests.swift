import Diffusion
import TensorCore
import TestSupport
import Testing

@Suite struct RestartTests {
  static let levels = [10, 4, 2.1, 1, 0.5, 0.11, 0.03].map {
    NoiseLevel(variancePreservingRatio: $0)
  }

  @Test func legsGoUpAndDownAgain() {
    let restart = Restart(levels: 4, times: 2)
    let plan = restart.applied(to: SamplingPlan(levels: Self.levels + [.clean]))
    let renoised = plan.intervals.filter { $0.kind == .renoised }
    #expect(renoised.map(\.visit) == [1, 2])
    #expect(renoised.allSatisfy { $0.from == Self.levels[5] && $0.to == Self.levels[2] })
    #expect(plan.count == 7 + 2 * 4)
    for (leg, next) in zip(plan.intervals, plan.intervals.dropFirst()) {
      #expect(leg.to == next.from)
      #expect(leg.following.first == next.to && leg.following.count == next.following.count + 1)
    }
    #expect(plan.intervals.last?.to == .clean)
    let down = plan.intervals.filter { $0.visit == 1 && $0.kind == .solved }
    #expect(down.count == 3 && down.allSatisfy { $0.from.ratio > $0.to.ratio })
    for level in down.map(\.to) { #expect(abs(level.totalVariance - 1) < 1e-12) }
  }

  @Test func aPlanThatDoesNotGetThereStays() {
    let plan = SamplingPlan(levels: [0.5, 0.3, 0.2].map { NoiseLevel(sigma: $0) })
    #expect(Restart(lowest: 3, highest: 5).applied(to: plan) == plan)
    #expect(Restart(times: 0).applied(to: plan) == plan)
  }

  @Test func eachWayUpHasItsOwnNoise() throws {
    let plan = Restart(levels: 4, times: 2).applied(to: SamplingPlan(levels: Self.levels))
    var trajectory = Trajectory(
      shape: [1, 30], dtype: .float64, plan: plan, solver: DDIM(),
      denoiser: AnyEstimate { x, _ in Estimate(denoised: x * 0) }, noise: BrownianPath(seeds: [1]))
    var ends: [[Double]] = []
    var last: Tensor?
    while let step = try trajectory.next() {
      if step.interval.kind == .renoised, let last {
        let transition = Transition(from: step.interval.from, to: step.interval.to)
        let added = Tensor.linearCombination([(1, step.x), (-transition.scale, last)])
        ends.append(added.doubles)
      }
      last = step.x
    }
    #expect(ends.count == 2)
    for (a, b) in zip(ends[0], ends[1]) { #expect(abs(a - b) > 1e-9) }
  }
}
