import Diffusion
import Foundation
import TestSupport
import Testing

/// What holds for every schedule over every process.
@Suite struct ScheduleCatalogTests {
  static let processes: [any Diffusion.Process] = [
    DiscreteProcess(.ddpm), DiscreteProcess(.stableDiffusion),
    DiscreteProcess(.cosine(), count: 100),
    VariancePreserving(), SubVariancePreserving(), VarianceExploding(), EDM(), RectifiedFlow(),
    RectifiedFlow(shift: 3),
  ]

  @Test(arguments: ScheduleCatalog.all.map(\.name))
  func levelsFallFromNoiseToTheEnd(_ name: String) throws {
    let entry = try #require(ScheduleCatalog.entry(named: name))
    for process in Self.processes {
      for steps in [1, 2, 7, 30] {
        let levels = try entry.levels(steps, of: process)
        #expect(levels.count >= 2)
        #expect(zip(levels, levels.dropFirst()).allSatisfy { $0.ratio > $1.ratio }, "\(process)")
        for level in levels.dropLast() {
          let own = process.ownLevel(of: level)
          #expect(abs(own.signal - level.signal) < 1e-9, "\(name) leaves the process \(process)")
        }
        #expect((levels.last == .clean) != entry.endsAtLeastLevel)
      }
    }
  }

  @Test(arguments: ScheduleCatalog.all.map(\.name))
  func stepsAreCounted(_ name: String) throws {
    let levels = try ScheduleCatalog.levels(name, steps: 20, of: DiscreteProcess(.stableDiffusion))
    #expect(levels.count == 21)
  }

  @Test func namesAndAliasesAreDistinct() {
    let names = ScheduleCatalog.all.flatMap { entry in
      Set(([entry.name] + entry.aliases).map { $0.lowercased().filter { !" -_".contains($0) } })
    }
    #expect(Set(names).count == names.count)
    #expect(ScheduleCatalog.entry(named: "SGM Uniform")?.name == "sgm_uniform")
    #expect(ScheduleCatalog.entry(named: "normal")?.name == "uniform")
  }

  @Test func levelsCanBeListed() throws {
    let process = DiscreteProcess(.stableDiffusion)
    let levels = try ScheduleCatalog.levels("14.6, 2.5,0.4", steps: 3, of: process)
    #expect(levels.count == 4 && levels[3] == .clean)
    #expect(relative(levels[1].ratio, 2.5) < 1e-14)
    #expect(try ScheduleCatalog.levels(sigmas: [3, 1, 0], of: process).count == 3)
    let flow = try ScheduleCatalog.levels("1,0.5", steps: 2, of: RectifiedFlow())
    #expect(flow == [.pureNoise, NoiseLevel(signal: 0.5, noise: 0.5), .clean])
  }

  @Test func theEndCanBeTheLeastLevel() throws {
    let process = DiscreteProcess(.stableDiffusion)
    let levels = try ScheduleCatalog.levels(
      "trailing", steps: 10, of: process, options: ScheduleOptions(endsClean: false))
    #expect(levels.last == process.levels[0])
  }

  @Test func shiftIsTheFlows() throws {
    let options = ScheduleOptions(shift: 3)
    let shifted = try ScheduleCatalog.levels(
      "trailing", steps: 4, of: RectifiedFlow(), options: options)
    #expect(shifted == [1.0, 0.75, 0.5, 0.25, 0].map { RectifiedFlow(shift: 3).level(at: $0) })
    #expect(throws: ScheduleError.option("shift", expected: "a model of a rectified flow")) {
      try ScheduleCatalog.levels("trailing", steps: 4, of: EDM(), options: options)
    }
  }

  /// Each failure by its text.
  @Test func failuresSayWhatToDo() {
    func text(
      _ name: String, _ steps: Int, _ process: any Diffusion.Process,
      _ options: ScheduleOptions = ScheduleOptions()
    ) -> String {
      do {
        _ = try ScheduleCatalog.levels(name, steps: steps, of: process, options: options)
        return "no failure"
      } catch { return error.description }
    }
    let chain = DiscreteProcess(.ddpm)
    #expect(
      text("keras", 10, chain).hasPrefix("there is no schedule 'keras': give one of linspace"))
    #expect(text("linspace", 1001, chain) == "1001 steps of the schedule linspace: give 1 to 1000")
    #expect(text("beta", 0, chain) == "0 steps of the schedule beta: give 1 to 1000")
    let rescaled = DiscreteProcess(.ddpm, zeroTerminalSNR: true)
    #expect(text("karras", 10, rescaled).contains("give the largest level, or take trailing"))
    #expect(text("trailing", 10, rescaled) == "no failure")
    #expect(
      text("trailing", 10, chain, ScheduleOptions(rho: 3))
        == "rho: expected a schedule with an exponent, which trailing is not")
    #expect(text("vp", 10, chain, ScheduleOptions(sigmaMin: 1)).hasPrefix("sigma: expected"))
    #expect(text("1.5,1", 2, RectifiedFlow()).contains("at most 1, which is noise alone"))
    #expect(text("1,2", 2, chain).contains("levels from 1.0 to 2.0"))
    #expect(
      text("karras", 10, chain, ScheduleOptions(sigmaMin: 5, sigmaMax: 2)).contains("to fall"))
    #expect(
      text("leading", 10, chain, ScheduleOptions(timestepOffset: 100))
        == "timestep offset: expected 0 to 99, found 100")
  }
}
