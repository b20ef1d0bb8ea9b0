import Diffusion
import Foundation
import TestSupport
import Testing

/// Schedules over Stable Diffusion's chain as k-diffusion, ComfyUI and stable-diffusion-webui lay them out, in float64.
@Suite struct ScheduleGoldenTests {
  static let process = DiscreteProcess(.stableDiffusion)

  /// The ratios agree to some hundred roundings: the chain's products, then powers. k-diffusion's `get_sigmas` rounds times
  /// to float32.
  private func expect(_ levels: [NoiseLevel], _ expected: [Double], _ name: String) {
    let tolerance = name == "uniform" ? 1e-6 : 1e-12
    #expect(levels.count == expected.count, "\(name): \(levels.count) levels")
    for (level, ratio) in zip(levels, expected) {
      #expect(
        abs(level.ratio - ratio) <= tolerance * max(1, ratio), "\(name): \(level.ratio), \(ratio)")
    }
  }

  @Test(arguments: ScheduleCatalog.all.map(\.name), [10, 20, 50])
  func isTheReferences(_ name: String, _ steps: Int) throws {
    if name == "beta_sigmas" { return }  // Measured against diffusers' schedulers.
    let entry = try #require(ScheduleCatalog.entry(named: name))
    let levels = try entry.levels(steps, of: Self.process)
    try expect(levels, GridGolden.values("\(name)_\(steps)"), name)
    #expect(levels.last == .clean || entry.endsAtLeastLevel)
  }

  @Test func theTableOfAlignYourStepsIsTakenAsItIs() throws {
    for (name, table) in [
      ("ays", AlignYourSteps.stableDiffusion15), ("ays_sdxl", .stableDiffusionXL),
    ] {
      let levels = try ScheduleCatalog.levels(name, steps: 11, of: Self.process)
      try expect(levels, GridGolden.values(name + "_11"), name)
      expect(levels, table.table + [0], name)
    }
  }

  @Test func exponentsAndEndsAreOptions() throws {
    let options = ScheduleOptions(rho: 3, sigmaMin: 0.1, sigmaMax: 10)
    let levels = try ScheduleCatalog.levels(
      "polyexponential", steps: 20, of: Self.process, options: options)
    try expect(levels, GridGolden.values("polyexponential_rho3"), "polyexponential")
    let edm = try ScheduleCatalog.levels("karras", steps: 18, of: EDM())
    try expect(edm, GridGolden.values("karras_edm"), "karras")
  }

  /// facts.md 3.4.
  @Test func karrasGridsAreThePrinted() throws {
    let edm = try ScheduleCatalog.levels("karras", steps: 18, of: EDM()).map(\.ratio)
    let printed = [
      80, 57.58598, 40.78557, 28.37458, 19.35245, 12.91008, 8.40094, 5.31519, 3.25682, 1.92334,
      1.08817, 0.58535, 0.29644, 0.13952, 0.05995, 0.02293, 0.00753, 0.002, 0,
    ]
    for (value, expected) in zip(edm, printed) { #expect(abs(value - expected) <= 0.500001e-5) }
    let stable = try ScheduleCatalog.levels("Karras", steps: 10, of: Self.process).map(\.ratio)
    let first = [
      14.61464, 9.10293, 5.47839, 3.1686, 1.74942, 0.91407, 0.44692, 0.2014, 0.08191, 0.02917,
    ]
    for (value, expected) in zip(stable, first) { #expect(abs(value - expected) <= 0.500001e-5) }
  }

  @Test(arguments: [(0.6, 0.6), (0.5, 2), (3, 1.5), (8, 20)])
  func theBetaDistributionIsSciPys(_ a: Double, _ b: Double) throws {
    let distribution = BetaDistribution(a, b)
    let shares = try GridGolden.values("beta_shares")
    let name = "\(a)_\(b)"
    for (share, expected) in zip(shares, try GridGolden.values("beta_\(name)")) {
      let value = distribution.quantile(share)
      #expect(abs(value - expected) <= 1e-12 * expected, "\(share): \(value), \(expected)")
    }
    // SciPy's own is off by a factor of 200 here: 1.5 sqrt(x) for a = 0.5, b = 2.
    let small = BetaDistribution(0.5, 2).quantile(1e-12)
    #expect(relative(small, pow(1e-12 / 1.5, 2)) < 1e-11)
    for (share, expected) in zip(shares, try GridGolden.values("beta_cdf_\(name)")) {
      #expect(abs(distribution.cumulative(share) - expected) <= 1e-13)
    }
  }
}
