import Diffusion
import Foundation
import SolverOrder
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Every step of diffusers' schedulers under the options of their files, as Tests/Golden/make_scheduler_options.py made them:
/// the file alone says which solver of the catalogue goes, and with what options.
@Suite struct SchedulerOptionsTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let key: String
    let steps: Int
    let scheduler: ProcessConfiguration
    var testDescription: String { "\(key) \(scheduler.solverName ?? "")" }
  }

  static let file = try? SafetensorsFile(
    path: Shared.golden.appendingPathComponent("scheduler_options.safetensors").path)
  static let cases: [Case] = {
    let text = file?.metadata["cases"] ?? "[]"
    return (try? JSONDecoder().decode([Case].self, from: Data(text.utf8))) ?? []
  }()

  @Test func thereAreCases() { #expect(Self.cases.count == 41) }

  @Test(arguments: cases)
  func everyStepIsDiffusers(_ test: Case) throws {
    let file = try #require(Self.file)
    let name = try #require(test.scheduler.solverName)
    let entry = try #require(SolverCatalog.entry(named: name))
    let options = test.scheduler.solverOptions
    try options.check(for: entry)
    let ratios = try file.tensor(named: test.key + "_ratios").doubles
    // The file's own levels are those of diffusers.
    let levels = test.scheduler.levels(test.steps)
    for (level, ratio) in zip(levels, ratios) { #expect(abs(level.ratio - ratio) <= 1e-12 * ratio) }
    let noise = try file.tensor(named: "noise")
    let draws = (0..<ratios.count - 1).map {
      noise.sliced(axis: 0, $0..<$0 + 1).reshaped([4, 3])
    }
    try compare(entry.make(options), levels, ListedNoise(draws), test)
  }

  /// diffusers' DPMSolverMultistepScheduler rounds the sample to float32 at each step.
  private func compare(
    _ sampler: Sampler, _ levels: [NoiseLevel], _ noise: ListedNoise, _ test: Case
  ) throws {
    let file = try #require(Self.file)
    let expected = try file.tensor(named: test.key)
    let (start, plan) = (try file.tensor(named: "start"), SamplingPlan(levels: levels))
    let tolerance = test.scheduler.sampling.scheduler == .dpmMultistep ? 1e-5 : 1e-9
    // Where estimates are bounded they are 2.5 times the mixture's, so that bounds bite.
    let threshold = test.scheduler.threshold
    let scaled = AnyEstimate { x, level in
      let exact = OrderWorld.mixture.denoiser.estimate(x, at: level).denoised
      return Estimate(denoised: threshold == nil ? exact : exact * 2.5)
    }
    let denoiser = Thresholded(scaled, threshold, keepsDirection: sampler.keepsDirection)
    func run(_ solver: some Solver) throws {
      var trajectory = Trajectory(
        from: start, plan: plan, solver: solver, denoiser: denoiser, noise: noise)
      while let step = try trajectory.next() {
        let row = expected.sliced(axis: 0, step.index..<step.index + 1).reshaped([4, 3])
        expectClose(step.x, row, tolerance: tolerance, "\(test.key), step \(step.index)")
      }
    }
    try run(sampler.solver)
  }

  /// The references of all others read noise off the bounded estimate, or none.
  @Test func onlyDDIMsKinReadNoiseOffTheUnboundedEstimate() {
    let kin = SolverCatalog.all.filter { $0.make(SolverOptions()).keepsDirection }.map(\.name)
    #expect(kin == ["ddim", "ddim-inverse", "tcd"])
  }
}
