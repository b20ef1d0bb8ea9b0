import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of UnCLIPScheduler: DDPM on the cosine chain, from its configuration.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct UnCLIPConformanceTests {
  static let rows = ConformanceRow.rows(of: "unclip")

  @Test func thereAreRows() { #expect(Self.rows.count == 10) }

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    let configuration = try ProcessConfiguration(
      json: Data(#"{"_class_name": "UnCLIPScheduler", "variance_type": "fixed_small_log"}"#.utf8))
    if row["test"].contains("variance") {
      try row.expect(variance(row, configuration.process))
    } else {
      let steps = row["test"] == "test_full_loop" ? 1000 : 25
      let denoiser = Thresholded(
        ReferenceLoop.denoiser(configuration.process), configuration.threshold)
      var trajectory = Trajectory(
        from: ReferenceLoop.sample(), plan: configuration.plan(steps),
        solver: Ancestral(variance: configuration.variance), denoiser: denoiser,
        noise: BatchNoise())
      try row.expect(trajectory.last())
    }
  }

  /// A deviation of at least 1e-10, or the logarithm of the variance that the network's 0.5 says.
  private func variance(_ row: ConformanceRow, _ process: DiscreteProcess) throws -> Double {
    let number = row["quantity"].split { !$0.isNumber }.first.flatMap { Int($0) }
    let (small, large) = process.posterior(try #require(number)).logVarianceRange(floor: 1e-20)
    return row["test"].contains("learned_range") ? 0.25 * small + 0.75 * large : exp(small / 2)
  }
}
