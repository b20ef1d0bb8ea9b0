import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of expected_full_loops.tsv of samplers for distilled models: LCM, TCD and consistency models.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct DistilledConformanceTests {
  static let rows = ConformanceRow.rows(of: "lcm", "tcd", "consistency_model")

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    let result =
      row["file"].contains("consistency")
      ? try consistency(row) : try latent(row, steps: row["test"].contains("onestep") ? 1 : 10)
    try row.expect(row.number(of: result))
  }

  /// LCM and TCD on Stable Diffusion's chain: of the fifty timesteps 19, 39, ... every fifth from the last down.
  private func latent(_ row: ConformanceRow, steps: Int) throws -> Tensor {
    let process = DiscreteProcess(.stableDiffusion)
    let timesteps = (0..<steps).map { 999 - $0 * (50 / steps) * 20 }
    let denoiser = ReferenceLoop.denoiser(process)
    if row["file"].contains("tcd") {
      // At gamma 0 the last leg ends at the chain's first level.
      let plan = SamplingPlan(timesteps: timesteps, of: process, end: process.levels[0])
      return try run(
        TrajectoryConsistency(process: process, gamma: 0), plan, denoiser, ReferenceLoop.sample())
    }
    let plan = SamplingPlan(timesteps: timesteps, of: process)
    return try run(
      ConsistencySampler(), plan, ConsistencyBoundary(denoiser, process: process),
      ReferenceLoop.sample())
  }

  /// Consistency models: timesteps of 201 as places on Karras's grid from 80 to 0.002.
  private func consistency(_ row: ConformanceRow) throws -> Tensor {
    var timesteps = [0]
    if row["test"].contains("multistep") { timesteps = [106, 0] }
    if row["test"].contains("with_noise") { timesteps = (0..<10).reversed().map { $0 * 20 } }
    let ramp = timesteps.reversed().map { Double($0) / 200 }
    let (first, last) = (pow(80, 1.0 / 7), pow(0.002, 1.0 / 7))
    var sigmas = ramp.map { Double(Float(pow(first + $0 * (last - first), 7))) }
    var start = ReferenceLoop.sample() * 80
    if row["test"].contains("with_noise") {
      sigmas = Array(sigmas[8...])
      start = Tensor.linearCombination([
        (1, start), (sigmas[0], ReferenceLoop.sample(flipped: true)),
      ])
    }
    let network = ConsistencyDenoiser(FunctionNetwork(body: ReferenceLoop.model))
    let denoiser = Thresholded(
      Conditioned(network, conditions: Array(repeating: NoCondition(), count: 4)), .clamped())
    let plan = SamplingPlan(levels: (sigmas + [0.002]).map { NoiseLevel(sigma: $0) })
    return try run(ConsistencySampler(floor: 0.002), plan, denoiser, start)
  }

  private func run<S: Solver, D: Denoiser>(
    _ solver: S, _ plan: SamplingPlan, _ denoiser: D, _ start: Tensor
  ) throws -> Tensor {
    var trajectory = Trajectory(
      from: start, plan: plan, solver: solver, denoiser: denoiser, noise: BatchNoise())
    return try trajectory.last()
  }
}
