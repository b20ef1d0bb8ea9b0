import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of DDIMInverseScheduler: DDIM from data to noise.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct InversionConformanceTests {
  static let rows = ConformanceRow.rows(of: "ddim_inverse")

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    if row["test"] == "test_steps_offset" {
      let steps = TimestepSpacing.leading.timesteps(5, of: 1000, offset: 1)
      #expect(steps.reversed() == [1, 201, 401, 601, 801])
      return
    }
    try row.meets {
      row.number(of: try run(row, DDIMInversion(bound: .clamped())))
    } imitated: {
      row.number(of: try run(row, VelocityInversion()))
    }
  }

  private func run<S: Solver>(_ row: ConformanceRow, _ solver: S) throws -> Tensor {
    var configuration = ProcessConfiguration()
    if row.says("v_prediction") { configuration.parameterization = .velocity }
    if row.says("beta_start=0.01") { configuration.firstBeta = 0.01 }
    if row.says("set_alpha_to_one=False") { configuration.endsClean = false }
    let process = configuration.process
    let first = configuration.endsClean ? NoiseLevel.clean : process.levels[0]
    let levels = configuration.timesteps(10).reversed().map { process.levels[$0] }
    let denoiser = ReferenceLoop.denoiser(process, configuration.parameterization)
    var trajectory = Trajectory(
      from: ReferenceLoop.sample(), plan: SamplingPlan(levels: [first] + levels), solver: solver,
      denoiser: denoiser, noise: NoNoise())
    return try trajectory.last()
  }
}

/// The reference's step over v: the network's answer at the level that is gone to, read with the signal and the noise of the
/// one that is left, and clamped.
private struct VelocityInversion: Solver {
  var order: Int { 1 }

  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (from, to) = (interval.from, interval.to)
    let velocity = try denoiser(x, at: to).velocity(of: x, at: to)
    let epsilon = Tensor.linearCombination([(from.signal, velocity), (from.noise, x)])
    let data = Tensor.linearCombination([(from.signal, x), (-from.noise, velocity)])
      .clamped(-1, 1)
    return (Tensor.linearCombination([(to.signal, data), (to.noise, epsilon)]), data)
  }
}
