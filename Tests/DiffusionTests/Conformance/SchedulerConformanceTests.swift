import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of conformance/diffusers/expected_full_loops.tsv that DDPM and DDIM can do: each test's recipe in
/// huggingface/diffusers, run here.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct SchedulerConformanceTests {
  static let rows = ConformanceRow.rows(of: "ddpm", "ddpm_parallel", "ddim", "ddim_parallel")

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    if row["test"] == "test_steps_offset" {
      #expect(TimestepSpacing.leading.timesteps(5, of: 1000, offset: 1) == [801, 601, 401, 201, 1])
      return
    }
    if row["test"] == "test_variance" {
      try row.expect(variance(row))
    } else {
      try row.meets {
        row.number(of: try sample(row, rounding: false))
      } imitated: {
        row.number(of: try sample(row, rounding: true))
      }
    }
  }

  private func isDDPM(_ row: ConformanceRow) -> Bool { row["file"].contains("ddpm") }

  /// `_get_variance(t)` (DDPM: to the timestep before) or `_get_variance(t, s)`; t = s = 0 is nothing's variance.
  private func variance(_ row: ConformanceRow) -> Double {
    let process = DiscreteProcess(.ddpm)
    let numbers = row["quantity"].split { !$0.isNumber }.compactMap { Int($0) }
    let to = numbers.count > 1 ? process.levels[numbers[1]] : process.levelBefore(numbers[0])
    return Posterior(at: to, from: process.levels[numbers[0]]).variance
  }

  private func sample(_ row: ConformanceRow, rounding: Bool) throws -> Tensor {
    var configuration = ProcessConfiguration()
    let overrides = row["function_overrides"]
    if overrides.contains("v_prediction") { configuration.parameterization = .velocity }
    if overrides.contains("beta_start=0.01") { configuration.firstBeta = 0.01 }
    if overrides.contains("set_alpha_to_one=False") { configuration.endsClean = false }
    if row["test"] == "test_batch_step_no_noise" { return try batchStep(row, configuration) }
    let process = rounding ? configuration.process.roundedToSingle : configuration.process
    var timesteps = isDDPM(row) ? Array((0..<1000).reversed()) : configuration.timesteps(10)
    var start = ReferenceLoop.sample()
    if row["test"] == "test_full_loop_with_noise" {
      timesteps = Array(timesteps[(isDDPM(row) ? 998 : 8)...])
      let level = process.levels[timesteps[0]]
      start = Tensor.linearCombination([
        (level.signal, start), (level.noise, ReferenceLoop.sample(flipped: true)),
      ])
    }
    return try run(row, configuration, process, start, timesteps, rounding: rounding)
  }

  private func run(
    _ row: ConformanceRow, _ configuration: ProcessConfiguration, _ process: DiscreteProcess,
    _ start: Tensor, _ timesteps: [Int], rounding: Bool
  ) throws -> Tensor {
    let model = ReferenceLoop.denoiser(
      process, configuration.parameterization, batch: start.shape[0])
    let plan = SamplingPlan(
      timesteps: timesteps, of: process,
      end: configuration.endsClean ? .clean : process.levels[0])
    let denoiser = Thresholded(model, .clamped())
    let noise = BatchNoise()
    if rounding {
      var trajectory = Trajectory(
        from: start, plan: plan, solver: RoundedAncestral(), denoiser: denoiser, noise: noise)
      return try trajectory.last()
    }
    if isDDPM(row) {
      var trajectory = Trajectory(
        from: start, plan: plan, solver: Ancestral(), denoiser: denoiser, noise: noise)
      return try trajectory.last()
    }
    var trajectory = Trajectory(
      from: start, plan: plan, solver: DDIM(), denoiser: denoiser, noise: noise)
    return try trajectory.last()
  }

  /// One step without noise of three batches at timesteps 0, 1 and 2. DDIM's go 100 timesteps back, to clean data.
  private func batchStep(_ row: ConformanceRow, _ configuration: ProcessConfiguration) throws
    -> Tensor
  {
    let process = configuration.process
    let parts = try [0, 1, 2].map { timestep -> Tensor in
      let start = ReferenceLoop.sample() + [0, 0.1, -0.1][timestep]
      let model = ReferenceLoop.denoiser(process)
      let to = isDDPM(row) ? process.levelBefore(timestep) : .clean
      var trajectory = Trajectory(
        from: start, plan: SamplingPlan(levels: [process.levels[timestep], to]),
        solver: Ancestral(), denoiser: Thresholded(model, .clamped()), noise: NoNoise())
      return try trajectory.last()
    }
    return Tensor.concatenated(parts, axis: 0)
  }
}
