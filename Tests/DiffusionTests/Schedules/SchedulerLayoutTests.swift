import Diffusion
import Foundation
import TestSupport
import Testing

/// The levels and timesteps of each of diffusers' schedulers at 10, 20 and 50 steps, from its configuration alone.
@Suite struct SchedulerLayoutTests {
  @Test func thereAreCases() {
    let classes = Set(GridGolden.cases.compactMap(\.scheduler.sampling.scheduler))
    #expect(GridGolden.cases.count == 237 && classes.count == 23)
  }

  @Test(arguments: GridGolden.cases)
  func levelsAreDiffusers(_ test: GridGolden.Case) throws {
    let scheduler = test.scheduler
    let process = scheduler.samplingProcess
    let shift = test.isDynamic ? exp(0.8) : nil
    let levels = scheduler.levels(test.steps, shift: shift)
    #expect(levels.count == test.steps + 1)
    try expectTimesteps(levels, test, process)
    guard let sigmas = try? GridGolden.values(test.key + "_sigmas") else { return }
    #expect(sigmas.count == levels.count)
    for (level, sigma) in zip(levels, sigmas) {
      // diffusers' times and levels are rounded to float32, EDM's at each step on the way.
      #expect(abs(process.sigma(of: level) - sigma) <= 2e-6 * max(1, sigma), "\(level), \(sigma)")
    }
  }

  private func expectTimesteps(
    _ levels: [NoiseLevel], _ test: GridGolden.Case, _ process: any Diffusion.Process
  ) throws {
    let scheduler = test.scheduler
    var expected = try GridGolden.values(test.key + "_timesteps")
    if scheduler.sampling.scheduler == .consistency { return }  // A thousand quarters of ln(sigma).
    if scheduler.sampling.scheduler == .pndm {
      // PLMS asks at the second timestep twice.
      expected.remove(at: 1)
    }
    #expect(expected.count == test.steps)
    for (level, timestep) in zip(levels, expected) {
      let told = scheduler.networkParameterization.preconditioning(at: level, of: process).time
      let isWhole = timestep == timestep.rounded()
      // float32 of a thousand where it is fractional.
      #expect(
        abs(told - timestep) <= (isWhole ? 1e-6 : 1e-4) * max(1, timestep), "\(told), \(timestep)")
    }
  }

  /// A leg that goes nowhere is no leg.
  @Test func plansHaveNoEmptyLegs() throws {
    for test in GridGolden.cases {
      let plan = test.scheduler.plan(test.steps, shift: test.isDynamic ? 2 : nil)
      #expect(plan.intervals.allSatisfy { $0.from.ratio > $0.to.ratio }, "\(test)")
    }
  }
}
