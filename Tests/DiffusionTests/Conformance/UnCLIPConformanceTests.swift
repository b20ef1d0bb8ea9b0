import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of UnCLIPScheduler: DDPM on the cosine chain, from its configuration.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct UnCLIPConformanceTests {
  static let rows = ConformanceRow.rows(of: "unclip")

  static func configuration() throws -> ProcessConfiguration {
    try ProcessConfiguration(
      json: Data(#"{"_class_name": "UnCLIPScheduler", "variance_type": "fixed_small_log"}"#.utf8))
  }

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    if row["test"].contains("variance") {
      try row.expect(variance(row, Self.configuration().process))
    } else {
      try row.meets {
        row.number(of: try run(row, rounding: false))
      } imitated: {
        row.number(of: try run(row, rounding: true))
      }
    }
  }

  private func run(_ row: ConformanceRow, rounding: Bool) throws -> Tensor {
    let configuration = try Self.configuration()
    let exact = configuration.process
    let process = rounding ? exact.roundedToSingle : exact
    let isWhole = row["test"] == "test_full_loop"
    let timesteps = TimestepSpacing.linspace.timesteps(isWhole ? 1000 : 25, of: 1000)
    let plan = SamplingPlan(timesteps: timesteps, of: process)
    let denoiser = Thresholded(ReferenceLoop.denoiser(process), configuration.threshold)
    if !rounding {
      #expect(configuration.plan(timesteps.count) == plan)
      var trajectory = Trajectory(
        from: ReferenceLoop.sample(), plan: plan,
        solver: Ancestral(variance: configuration.variance), denoiser: denoiser,
        noise: BatchNoise())
      return try trajectory.last()
    }
    // The table's beta is taken where the step is one of the chain's.
    let listed = isWhole ? timesteps : [0]
    let betas = listed.map { (process.levels[$0], exact.betas[$0]) }
    var trajectory = Trajectory(
      from: ReferenceLoop.sample(), plan: plan,
      solver: RoundedAncestral(betas: Dictionary(betas) { first, _ in first }), denoiser: denoiser,
      noise: BatchNoise())
    return try trajectory.last()
  }

  /// A deviation of at least 1e-10, or the logarithm of the variance that the network's 0.5 says.
  private func variance(_ row: ConformanceRow, _ process: DiscreteProcess) throws -> Double {
    let number = row["quantity"].split { !$0.isNumber }.first.flatMap { Int($0) }
    let (small, large) = process.posterior(try #require(number)).logVarianceRange(floor: 1e-20)
    return row["test"].contains("learned_range") ? 0.25 * small + 0.75 * large : exp(small / 2)
  }
}
