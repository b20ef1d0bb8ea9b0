import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct FlowLikelihoodTests {
  static let none = [NoCondition](repeating: NoCondition(), count: 4)

  static func check<P: Diffusion.Process>(_ process: P, _ times: ClosedRange<Double>? = nil) throws
  {
    let world = try GaussianDenoiser(dimension: 3)
    let x = Sample.uniform([4, 3], seed: 5, low: -1.5, high: 1.5)
    let likelihood = FlowLikelihood(
      process, times: times, divergence: .exact, tolerance: 1e-9)
    let found = try likelihood.logDensity(
      of: x, with: Unconditional(world), given: none, seeds: [1, 2, 3, 4])
    let range = likelihood.times
    let expected = world.logDensity(
      x, start: process.level(at: range.lowerBound), end: process.level(at: range.upperBound))
    for (density, wanted) in zip(found, expected) {
      #expect(
        abs(density.value - wanted) < 1e-6 * 3,
        "\(P.self): \(density.value), expected \(wanted), \(density.evaluations) evaluations")
    }
  }

  /// Right to 1e-6 nats a dimension, under every process.
  @Test func isExactOnAGaussian() throws {
    try Self.check(DiscreteProcess(.ddpm))
    try Self.check(VariancePreserving(), 1e-5...1)
    try Self.check(SubVariancePreserving(), 1e-3...1)
    try Self.check(VarianceExploding())
    try Self.check(EDM())
    try Self.check(RectifiedFlow(), 1e-4...1)
    try Self.check(RectifiedFlow(shift: 3), 1e-4...0.99)
  }

  @Test func isExactOnAMixture() throws {
    let (x, process) = (Sample.uniform([4, 3], seed: 5), DiscreteProcess(.ddpm))
    let found = try FlowLikelihood(process, divergence: .exact, tolerance: 1e-8).logDensity(
      of: x, with: Unconditional(DifferentiableMixture(world: .mixture)), given: Self.none,
      seeds: [1, 2, 3, 4])
    let first = process.levels[0]
    let expected = GaussianWorld.mixture.logDensity(x, signal: first.signal, noise: first.noise)
    // The prior N(0, I) is not quite the last marginal: with signal a its log density is off by a m z and a^2.
    let signal = process.levels[999].signal
    for (density, wanted) in zip(found, expected) {
      #expect(abs(density.value - wanted) < 3 * signal, "\(density.value), expected \(wanted)")
    }
    let steps = Set(found.map(\.evaluations))
    #expect(steps.count > 1, "steps are each sample's own")
  }

  /// A tighter tolerance gives a smaller error.
  @Test func errorsFollowTheTolerance() throws {
    let (x, process) = (Sample.uniform([4, 3], seed: 5), DiscreteProcess(.ddpm))
    let world = try GaussianDenoiser(dimension: 3)
    let expected = world.logDensity(x, start: process.levels[0], end: process.levels[999])
    for tolerance in [1e-3, 1e-5, 1e-7] {
      let found = try FlowLikelihood(process, divergence: .exact, tolerance: tolerance)
        .logDensity(
          of: x, with: Unconditional(world), given: Self.none, seeds: [1, 2, 3, 4])
      let errors = zip(found, expected).map { abs($0.value - $1) / 3 }
      // At most so many steps, each with an error of the tolerance that no later one makes larger.
      let steps = Double(found.map(\.evaluations).max() ?? 0) / 6
      #expect((errors.max() ?? 0) < tolerance * steps)
    }
  }

  /// The 95 % interval holds the truth for 950 of 1,000 seeds, give or take three standard deviations (of 6.9).
  @Test(arguments: [
    (DivergenceEstimate.Probe.rademacher, 8), (.gaussian, 12),
  ])
  func intervalsHoldTheTruth(_ kind: DivergenceEstimate.Probe, _ probes: Int) throws {
    let (dimension, seeds) = (24, 1000)
    let process = DiscreteProcess(.ddpm)
    let world = try GaussianDenoiser(dimension: dimension, seed: 3)
    let point = Sample.uniform([1, dimension], seed: 9)
    let truth = world.logDensity(point, start: process.levels[0], end: process.levels[999])[0]
    let found = try FlowLikelihood(
      process, divergence: .hutchinson(kind, probes: probes), tolerance: 1e-5
    ).logDensity(
      of: point.broadcasted(to: [seeds, dimension]), with: Unconditional(world),
      given: [NoCondition](repeating: NoCondition(), count: seeds),
      seeds: (0..<seeds).map(UInt64.init))
    let held = found.count { $0.interval()?.contains(truth) ?? false }
    #expect((930...970).contains(held), "\(kind): \(held) of \(seeds)")
    let mean = found.map(\.value).reduce(0, +) / Double(seeds)
    let errors = found.compactMap(\.standardError)
    let error = errors.reduce(0, +) / Double(seeds) / Double(seeds).squareRoot()
    #expect(abs(mean - truth) < 4 * error, "unbiased")
    #expect(errors.allSatisfy { $0 > 1e-3 }, "there is something to estimate")
  }

  /// A sample's bytes depend on its seed and condition alone.
  @Test func samplesStandAlone() throws {
    let x = Sample.uniform([5, 3], seed: 5, low: -2, high: 2).converted(to: .float32)
    let likelihood = FlowLikelihood(
      DiscreteProcess(.ddpm), divergence: .hutchinson(.gaussian, probes: 2), tolerance: 1e-5)
    func found(_ rows: Range<Int>) throws -> [LogDensity] {
      try likelihood.logDensity(
        of: x.sliced(axis: 0, rows), with: Unconditional(DifferentiableMixture(world: .mixture)),
        given: rows.map { _ in NoCondition() }, seeds: rows.map(UInt64.init))
    }
    let together = try found(0..<5)
    #expect(Set(together.map(\.evaluations)).count > 1)
    for row in 0..<5 {
      let alone = try found(row..<(row + 1))
      #expect(alone[0] == together[row])
    }
  }

  @Test func saysWhatIsWrong() {
    let data = Sample.uniform([1, 2])
    func description<D: Denoiser>(_ denoiser: D, tolerance: Double) -> String {
      do {
        _ = try FlowLikelihood(
          DiscreteProcess(.ddpm), divergence: .exact, tolerance: tolerance
        ).logDensity(
          of: data, with: Unconditional(denoiser), given: [NoCondition()], seeds: [0])
        return "nothing"
      } catch { return "\(error)" }
    }
    let broken = AnyEstimate { x, _ in Estimate(denoised: x * .nan) }
    #expect(description(broken, tolerance: 1e-5).contains("infinite or not a number"))
    let smooth = AnyEstimate { x, _ in Estimate(denoised: x.tanh()) }
    #expect(description(smooth, tolerance: 1e-30).contains("allow a larger one"))
  }
}

@Suite struct LogDensityTests {
  /// Two-sided 95 % points of Student's distribution, as tables have them.
  @Test(arguments: [
    (1, 12.7062047), (2, 4.3026527), (3, 3.1824463), (4, 2.7764451), (9, 2.2621572),
    (30, 2.0422725), (31, 2.0395134),
  ])
  func quantilesAreTheTables(_ degrees: Int, _ expected: Double) {
    #expect(abs(StudentDistribution.reach(of: 0.95, degrees: degrees) - expected) < 5.1e-8)
  }

  @Test func standardErrorsAreThoseOfAMean() throws {
    let density = LogDensity(estimates: [1, 2, 4, 5], evaluations: 1)
    // Variance 10 / 3 of one estimate.
    #expect(density.value == 3)
    #expect(abs(try #require(density.standardError) - (10.0 / 12).squareRoot()) < 1e-15)
    #expect(LogDensity(estimates: [1], evaluations: 1).standardError == nil)
    #expect(LogDensity(estimates: [1], evaluations: 1).interval() == nil)
  }
}

@Suite struct PixelGridTests {
  /// A density that is uniform over all bins costs 8 bits a pixel.
  @Test func aUniformDensityCostsEightBits() {
    let grid = PixelGrid()
    let density = -log(2 + grid.width)
    #expect(abs(grid.bitsPerDimension(5 * density, dimension: 5) - 8) < 1e-12)
    #expect(abs(grid.bitsPerDimension(0, dimension: 3) - log2(127.5)) < 1e-12)
  }

  @Test func noiseFillsThePixelsOwnBin() {
    let pixels = Tensor((0..<256).map { 2 * Double($0) / 255 - 1 }, shape: [2, 128])
    let grid = PixelGrid()
    let noisy = grid.dequantized(pixels, seeds: [3, 4])
    let offsets = (noisy - pixels).doubles.map { $0 / grid.width }
    #expect(offsets.allSatisfy { abs($0) <= 0.5 + 1e-12 })
    // 256 uniform numbers: mean 0 and variance 1/12 to four standard errors.
    let mean = offsets.reduce(0, +) / 256
    let square = offsets.reduce(0) { $0 + $1 * $1 } / 256
    #expect(abs(mean) < 4 * (1.0 / 12 / 256).squareRoot())
    #expect(abs(square - 1.0 / 12) < 4 * (1.0 / 180 / 256).squareRoot())
    let alone = grid.dequantized(pixels.sliced(axis: 0, 1..<2), seeds: [4])
    expectSame(alone.doubles, Array(noisy.doubles[128...]))
  }
}
