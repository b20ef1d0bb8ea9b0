import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct TrajectoryTests {
  static let process = DiscreteProcess(.ddpm)
  static let plan = SamplingPlan(
    timesteps: TimestepSpacing.leading.timesteps(8, of: 1000), of: process)

  func start<S: Solver, N: NoiseSource>(
    _ solver: S, _ noise: N, batch: Int = 2
  ) -> Trajectory<S, ExactDenoiser, N> {
    Trajectory(
      shape: [batch, 3], dtype: .float64, plan: Self.plan, solver: solver,
      denoiser: ExactDenoiser(world: .mixture), noise: noise)
  }

  @Test func givesEveryStepInTurn() throws {
    var trajectory = start(DDIM(), SeededNoise(seeds: [1, 2]))
    var seen: [Int] = []
    var last: Tensor?
    while let step = try trajectory.next() {
      seen.append(step.index)
      #expect(step.count == 8 && step.interval == Self.plan.intervals[step.index])
      #expect(step.evaluations == step.index + 1)
      #expect(step.interval.following.count == 7 - step.index)
      last = step.x
    }
    #expect(seen == Array(0..<8) && trajectory.isDone)
    var again = start(DDIM(), SeededNoise(seeds: [1, 2]))
    #expect(try again.last().doubles == last?.doubles)
  }

  @Test func stoppedWrittenAndResumedGivesTheSameBytes() throws {
    func check<S: Solver, N: NoiseSource>(_ solver: S, _ noise: N) throws {
      var whole = start(solver, noise)
      let expected = try whole.last()
      var first = start(solver, noise)
      for _ in 0..<3 { _ = try first.next() }
      let file = try JSONEncoder().encode(first.snapshot)
      let snapshot = try JSONDecoder().decode(type(of: first).Snapshot.self, from: file)
      var second = Trajectory(
        resuming: snapshot, plan: Self.plan, solver: solver, denoiser: first.denoiser)
      #expect(snapshot.stepsDone == 3)
      #expect(try second.last().doubles == expected.doubles)
      #expect(try second.next() == nil)
    }
    try check(DDIM(), SeededNoise(seeds: [1, 2]))
    try check(DDIM(eta: 0.7), IntervalNoise(seeds: [1, 2]))
    try check(Ancestral(), SeededNoise(.torch, seeds: [1, 2]))
    try check(Ancestral(variance: .fixedLarge), SeededNoise(.numpy, seeds: [1, 2]))
    try check(Ancestral(), SeededNoise(.philox, seeds: [1, 2]))
  }

  @Test func aSampleIsTheSameInAnyBatch() throws {
    var both = start(Ancestral(), SeededNoise(seeds: [1, 2]))
    var alone = start(Ancestral(), SeededNoise(seeds: [2]), batch: 1)
    #expect(Array(try both.last().doubles[3...]) == (try alone.last().doubles))
  }

  @Test func aNonFiniteEstimateNamesStepAndLevel() throws {
    let bad = Self.plan.intervals[4].from
    let denoiser = AnyEstimate { x, level in
      Estimate(denoised: level == bad ? x * .nan : x)
    }
    var trajectory = Trajectory(
      shape: [1, 3], plan: Self.plan, solver: DDIM(), denoiser: denoiser,
      noise: SeededNoise(seeds: [1]))
    let error = try #require(throws: TrajectoryError<Never>.self) { try trajectory.last() }
    guard case .nonFinite(step: 4, level: bad) = error else {
      Issue.record("got \(error)")
      return
    }
    #expect("\(error)".hasPrefix("step 5, from signal "))
    #expect(trajectory.snapshot.stepsDone == 4)
  }

  @Test func aFailingDenoiserNamesStepAndLevel() throws {
    struct Failing: Denoiser {
      struct Fault: Error, CustomStringConvertible { let description = "out of paper" }
      func estimate(
        _ x: Tensor, at level: NoiseLevel, memory: inout NoMemory
      ) throws(Fault) -> Estimate {
        throw Fault()
      }
    }
    var trajectory = Trajectory(
      shape: [1, 3], plan: Self.plan, solver: DDIM(), denoiser: Failing(), noise: NoNoise())
    let error = try #require(throws: TrajectoryError<Failing.Fault>.self) {
      try trajectory.next()
    }
    #expect("\(error)".hasPrefix("step 1, from signal ") && "\(error)".hasSuffix("out of paper"))
  }

  @Test func aCancelledTaskStopsBeforeTheNextStep() async throws {
    let task = Task { () -> Int in
      var trajectory = start(DDIM(), SeededNoise(seeds: [1, 2]))
      _ = try trajectory.next()
      withUnsafeCurrentTask { $0?.cancel() }
      do {
        _ = try trajectory.next()
      } catch TrajectoryError<Never>.cancelled(let step) {
        return step
      }
      return -1
    }
    #expect(try await task.value == 1)
  }
}
