import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct MeasurementTests {
  static let shape = [2, 4, 4, 3]

  static func measurements() throws -> [(name: String, A: any LinearMeasurement)] {
    let known = Sample.uniform([4, 4, 1], seed: 3).greater(than: Tensor(0, dtype: .float64))
    // Fewer rows than elements, one of them said twice.
    let rows = Sample.uniform([5, 48], seed: 4)
    let matrix = Tensor.concatenated([rows, rows.sliced(axis: 0, 1..<2)], axis: 0)
    return [
      ("mask", MaskMeasurement(known: known)),
      ("mean of channels", ChannelMixture()),
      ("luminance", ChannelMixture(weights: [0.299, 0.587, 0.114])),
      ("blocks", BlockMean(size: 2)),
      ("matrix", try MatrixMeasurement(matrix, sampleShape: [4, 4, 3])),
    ]
  }

  /// Moore and Penrose's: `A A+ A = A`, `A+ A A+ = A+`, and `A+ A` and `A A+` are symmetric.
  @Test func inversesArePseudoInverses() throws {
    let (u, v) = (Sample.uniform(Self.shape, seed: 1), Sample.uniform(Self.shape, seed: 2))
    for (name, A) in try Self.measurements() {
      let (y, z) = (A(u), Sample.uniform(A(u).shape, seed: 7))
      expectClose(A(A.pseudoInverse(y)), y, tolerance: 1e-12, name)
      let back = A.pseudoInverse(z)
      expectClose(A.pseudoInverse(A(back)), back, tolerance: 1e-12, name)
      expectClose(
        A.pseudoInverse(y).innerProducts(v), u.innerProducts(A.pseudoInverse(A(v))),
        tolerance: 1e-12, name)
      expectClose(
        A(A.pseudoInverse(z)).innerProducts(y), z.innerProducts(A(A.pseudoInverse(y))),
        tolerance: 1e-12, name)
    }
  }

  /// The correction is the smallest change that makes the measurement right.
  @Test func correctionsAreTheNearest() throws {
    let (x, truth) = (Sample.uniform(Self.shape, seed: 1), Sample.uniform(Self.shape, seed: 2))
    for (name, A) in try Self.measurements() {
      let y = A(truth)
      let corrected = A.corrected(x, to: y)
      expectClose(A(corrected), y, tolerance: 1e-12, name)
      // The change has no part that is not measured: it is orthogonal to truth - corrected.
      let products = (corrected - x).innerProducts(truth - corrected).doubles
      #expect(products.allSatisfy { abs($0) < 1e-11 }, "\(name)")
    }
  }

  @Test(arguments: [0.0, 1.0])
  func whatIsKnownIsReproduced(_ eta: Double) throws {
    let process = DiscreteProcess(.ddpm)
    let plan = SamplingPlan(timesteps: [900, 600, 300, 50, 0], of: process)
    let truth = Sample.uniform(Self.shape, seed: 2).converted(to: .float32)
    let known = Sample.uniform([4, 4, 1], seed: 3).converted(to: .float32)
      .greater(than: Tensor(0))
    let base = AnyEstimate { x, level in Estimate(denoised: (x * level.signal).tanh()) }
    func last<M: LinearMeasurement>(_ A: M) throws -> Tensor {
      var trajectory = Trajectory(
        shape: Self.shape, plan: plan.resampled(every: 2, times: 2), solver: DDIM(eta: eta),
        denoiser: Measured(base, by: A, as: A(truth)), noise: IntervalNoise(seeds: [1, 2]))
      return try trajectory.last()
    }
    let mask = MaskMeasurement(known: known)
    let painted = try last(mask)
    expectSame(mask(painted).floats, mask(truth).floats, "the known part, bit for bit")
    #expect(painted.floats != truth.floats)
    let colours = ChannelMixture()
    expectClose(colours(try last(colours)), colours(truth), tolerance: 1e-6)
  }

  /// The exact answer for independent elements of variance v, of which some are seen through noise.
  @Test(arguments: [0.0, 0.3])
  func guidanceIsExactOnAnIsotropicGaussian(_ deviation: Double) {
    let (v, level) = (0.7, NoiseLevel(signal: 0.8, noise: 0.5))
    let gain = level.signal * v / (level.signal * level.signal * v + level.noise * level.noise)
    let left = v - gain * level.signal * v
    let (x, y) = (Sample.uniform([2, 4], seed: 1), Sample.uniform([2, 4], seed: 2))
    let known = Tensor([1.0, 0, 1, 0])
    let guided = MeasurementGuidance(
      AnyEstimate { x, _ in Estimate(denoised: x * gain) }, by: MaskMeasurement(known: known),
      as: y * known
    ) { _ in left + deviation * deviation }
    let share = left / (left + deviation * deviation)
    let plain = x * gain
    let expected = plain + (y - plain) * known * share
    expectClose(guided.estimate(x, at: level).denoised, expected, tolerance: 1e-13)
  }
}

@Suite struct ResamplingTests {
  private static let levels = (0...6).map { NoiseLevel(variancePreservingRatio: 6 - Double($0)) }

  /// The authors' schedule for 6 steps, jumps of 2, each stretch gone twice, with t the levels left before the last:
  /// 5 4 3 2 | 3 4 | 3 2 1 0 | 1 2 | 1 0, and then the end.
  @Test func followsTheAuthorsSchedule() {
    let plan = SamplingPlan(levels: Self.levels).resampled(every: 2, times: 2)
    let ratios = plan.intervals.map { [$0.from.ratio, $0.to.ratio].map { Int($0.rounded()) } }
    #expect(
      ratios == [
        [6, 5], [5, 4], [4, 3], [3, 5], [5, 4], [4, 3], [3, 2], [2, 1], [1, 3], [3, 2], [2, 1],
        [1, 0],
      ])
    #expect(
      plan.intervals.map(\.kind) == ratios.map { $0[0] < $0[1] ? .renoised : .solved })
    #expect(plan.intervals.map(\.visit) == [0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0])
    #expect(plan.intervals.filter(\.isLast).count == 1)
    let plain = SamplingPlan(levels: Self.levels)
    #expect(plain.resampled(every: 2, times: 1) == plain)
  }

  /// Of a correlated Gaussian one coordinate is known: resampling brings the other to its conditional distribution, which
  /// replacement alone misses.
  @Test func approachesTheConditionalDistribution() throws {
    let world = try GaussianDenoiser(dimension: 2, seed: 1)
    let covariance = (world.axes * Tensor(world.variances)).matmul(world.axes, transposeB: true)
      .doubles
    let mean = world.mean.doubles
    let seen = mean[0] + 1.5 * covariance[0].squareRoot()
    let slope = covariance[1] / covariance[0]
    let expected = (
      mean: mean[1] + slope * (seen - mean[0]), variance: covariance[3] - slope * covariance[1]
    )
    #expect(abs(covariance[1]) / (covariance[0] * covariance[3]).squareRoot() > 0.5)
    let count = 500
    let plan = SamplingPlan(
      levels: (0...40).map {
        $0 == 40 ? .clean : NoiseLevel(variancePreservingRatio: 80 * pow(0.8, Double($0)))
      })
    func painted(times: Int) throws -> (mean: Double, variance: Double) {
      var trajectory = Trajectory(
        shape: [count, 2], dtype: .float64, plan: plan.resampled(every: 4, times: times),
        solver: Ancestral(variance: .fixedSmall),
        denoiser: Measured(
          world, by: MaskMeasurement(known: Tensor([1.0, 0])),
          as: Tensor(repeating: seen, shape: [count, 2], dtype: .float64)),
        noise: IntervalNoise(seeds: (0..<count).map(UInt64.init)))
      let points = try trajectory.last().doubles
      let found = stride(from: 1, to: points.count, by: 2).map { points[$0] }
      let mean = found.reduce(0, +) / Double(count)
      return (mean, found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
    }
    let (alone, often) = (try painted(times: 1), try painted(times: 20))
    // Standard errors of a mean of 500. The variance is a little small: that of these few steps is the lower bound.
    let error = (expected.variance / Double(count)).squareRoot()
    #expect(abs(often.mean - expected.mean) < 4 * error, "\(often) for \(expected)")
    #expect(abs(alone.mean - expected.mean) > 6 * error, "\(alone) for \(expected)")
    #expect(relative(often.variance, expected.variance) < 0.3)
  }
}
