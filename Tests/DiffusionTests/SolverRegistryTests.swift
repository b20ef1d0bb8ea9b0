import Diffusion
import Foundation
import SolverOrder
import TensorCore
import TestSupport
import Testing

/// What every solver of the catalogue has to keep to.
@Suite struct SolverRegistryTests {
  static let names = SolverCatalog.all.map(\.name)
  static let plan = SamplingPlan(
    timesteps: TimestepSpacing.trailing.timesteps(8, of: 1000), of: DiscreteProcess(.ddpm))

  private func sampler(_ name: String) throws -> Sampler {
    try #require(SolverCatalog.entry(named: name)).make(SolverOptions())
  }

  private func trajectory<S: Solver, D: Denoiser>(
    _ solver: S, _ plan: SamplingPlan, _ denoiser: D, seeds: [UInt64] = [1, 2]
  ) -> Trajectory<S, D, IntervalNoise> {
    Trajectory(
      shape: [seeds.count, 3], dtype: .float64, plan: plan, solver: solver, denoiser: denoiser,
      noise: IntervalNoise(seeds: seeds))
  }

  /// Stopped after each of its steps in turn.
  @Test(arguments: names)
  func stoppedWrittenAndResumedGivesTheSameBytes(_ name: String) throws {
    func check<S: Solver>(_ solver: S, _ plan: SamplingPlan) throws {
      let denoiser = OrderWorld.mixture.denoiser
      var running = trajectory(solver, plan, denoiser)
      var snapshots: [Data] = []
      while !running.isDone {
        snapshots.append(try JSONEncoder().encode(running.snapshot))
        _ = try running.next()
      }
      let expected = running.snapshot.x.doubles
      for data in snapshots.dropFirst() {
        let snapshot = try JSONDecoder().decode(type(of: running).Snapshot.self, from: data)
        var resumed = Trajectory(
          resuming: snapshot, plan: plan, solver: solver, denoiser: denoiser)
        #expect(try resumed.last().doubles == expected)
      }
    }
    let sampler = try sampler(name)
    try check(sampler.solver, sampler.plan(Self.plan))
  }

  @Test(arguments: names)
  func aSampleIsTheSameInAnyBatch(_ name: String) throws {
    func check<S: Solver>(_ solver: S, _ plan: SamplingPlan) throws {
      let denoiser = OrderWorld.mixture.denoiser
      var both = trajectory(solver, plan, denoiser, seeds: [1, 2, 3])
      var alone = trajectory(solver, plan, denoiser, seeds: [2])
      #expect(Array(try both.last().doubles[3..<6]) == (try alone.last().doubles))
    }
    let sampler = try sampler(name)
    try check(sampler.solver, sampler.plan(Self.plan))
  }

  @Test(arguments: names)
  func aNonFiniteEstimateNamesStepAndLevel(_ name: String) throws {
    func check<S: Solver>(_ solver: S, _ plan: SamplingPlan) throws {
      let denoiser = AnyEstimate { x, level in
        Estimate(denoised: (0.3...2).contains(level.ratio) ? x * .nan : x * level.signal)
      }
      var running = trajectory(solver, plan, denoiser)
      let error = try #require(throws: TrajectoryError<Never>.self) { try running.last() }
      guard case .nonFinite(let step, let level) = error else {
        Issue.record("got \(error)")
        return
      }
      #expect(level == plan.intervals[step].from && step == running.snapshot.stepsDone)
      #expect("\(error)".contains("step \(step + 1), from signal "))
    }
    let sampler = try sampler(name)
    try check(sampler.solver, sampler.plan(Self.plan))
  }

  /// From pure noise, where lambda is infinite, and down to clean data.
  @Test(arguments: names)
  func startsFromPureNoise(_ name: String) throws {
    func check<S: Solver>(_ solver: S, _ plan: SamplingPlan) throws {
      var running = trajectory(solver, plan, OrderWorld.mixture.denoiser)
      let end = try running.last().doubles
      #expect(end.allSatisfy { abs($0) < 10 })
    }
    let levels = (0...10).map { step -> NoiseLevel in
      let time = 1 - Double(step) / 10
      return NoiseLevel(signal: 1 - time, noise: time)
    }
    let sampler = try sampler(name)
    try check(sampler.solver, sampler.plan(SamplingPlan(levels: levels)))
  }
}
