import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct SolverTests {
  static let process = DiscreteProcess(.ddpm)

  /// One step of a solver over an interval, with given noise.
  func step<S: Solver, D: Denoiser>(
    _ solver: S, _ x: Tensor, _ interval: Interval, _ denoiser: D, noise: Tensor
  ) throws -> Tensor {
    var evaluator = Evaluator(denoiser)
    var memory = solver.start()
    var source = InjectedNoise(start: noise, steps: [noise])
    return try solver.step(
      x, over: interval, with: &evaluator, noise: &source, memory: &memory
    ).x
  }

  @Test(arguments: [(1, 0), (500, 499), (999, 998), (800, 300)])
  func fullyStochasticDDIMIsTheAncestralStep(_ from: Int, _ to: Int) throws {
    let interval = Interval(from: Self.process.levels[from], to: Self.process.levels[to])
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = ExactDenoiser(world: .mixture)
    let ddim = try step(DDIM(eta: 1), x, interval, denoiser, noise: z)
    let ancestral = try step(Ancestral(), x, interval, denoiser, noise: z)
    expectClose(ddim, ancestral, tolerance: 1e-9)
  }

  /// For data N(0, I) the step back is N(sqrt(1 - beta) x, beta): the large variance is then exact.
  @Test func largeVarianceIsRightForNormalData() throws {
    let interval = Interval(from: Self.process.levels[500], to: Self.process.levels[499])
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = AnyEstimate { Estimate(denoised: $0 * $1.signal) }
    let beta = Self.process.betas[500]
    let result = try step(Ancestral(variance: .fixedLarge), x, interval, denoiser, noise: z)
    let expected = Tensor.linearCombination([((1 - beta).squareRoot(), x), (beta.squareRoot(), z)])
    expectClose(result, expected, tolerance: 1e-10)
  }

  @Test(arguments: [-1.0, 0, 1])
  func learnedRangeLiesBetweenTheFixedOnes(_ answer: Double) throws {
    let interval = Interval(from: Self.process.levels[500], to: Self.process.levels[400])
    let posterior = Posterior(at: interval.to, from: interval.from)
    let zero = Tensor.zeros([1, 2], dtype: .float64)
    let denoiser = AnyEstimate { x, _ in
      Estimate(denoised: x, variance: Tensor(repeating: answer, shape: [1, 2], dtype: .float64))
    }
    let result = try step(
      Ancestral(variance: .learnedRange), zero, interval, denoiser,
      noise: Tensor.ones([1, 2], dtype: .float64))
    let (small, large) = (posterior.variance, posterior.transitionVariance)
    let expected = (pow(small, (1 - answer) / 2) * pow(large, (1 + answer) / 2)).squareRoot()
    #expect(relative(result.doubles[0], expected) < 1e-12)
  }

  @Test func theDirectionSetsTheNoiseAndTheEstimateTheData() throws {
    let interval = Interval(from: Self.process.levels[500], to: Self.process.levels[400])
    let x = Sample.uniform([1, 3], seed: 1)
    let (data, direction) = (Sample.uniform([1, 3], seed: 2), Sample.uniform([1, 3], seed: 3))
    let denoiser = AnyEstimate { _, _ in Estimate(denoised: data, direction: direction) }
    let noise = Estimate(denoised: direction).noise(in: x, at: interval.from)
    let expected = Tensor.linearCombination([
      (interval.to.signal, data), (interval.to.noise, noise),
    ])
    expectClose(try step(DDIM(), x, interval, denoiser, noise: x), expected, tolerance: 1e-13)
  }

  @Test func stepsToCleanDataGiveTheEstimate() throws {
    let interval = Interval(from: Self.process.levels[300], to: .clean)
    let x = Sample.uniform([1, 3], seed: 1)
    let denoiser = ExactDenoiser(world: .mixture)
    let estimate = denoiser.estimate(x, at: interval.from).denoised
    for eta in [0, 0.5, 1] {
      expectClose(try step(DDIM(eta: eta), x, interval, denoiser, noise: x), estimate, tolerance: 0)
    }
    for variance in [ReverseVariance.fixedSmall, .fixedLarge] {
      let result = try step(Ancestral(variance: variance), x, interval, denoiser, noise: x)
      expectClose(result, estimate, tolerance: 1e-14)
    }
  }

  // MARK: Order

  static let families: [(String, @Sendable (Double) -> NoiseLevel)] = [
    ("variance preserving", { NoiseLevel(variancePreservingRatio: $0) }),
    ("variance exploding", { NoiseLevel(sigma: $0) }),
    ("flow", { NoiseLevel(signal: 1 / (1 + $0), noise: $0 / (1 + $0)) }),
  ]

  /// The error at the end of a smooth grid that ends above zero, in the greatest norm.
  func error(_ world: GaussianWorld, steps: Int, _ level: (Double) -> NoiseLevel) throws -> Double {
    let (first, last) = (log(8.0), log(0.05))
    let levels = (0...steps).map {
      level(exp(first + (last - first) * Double($0) / Double(steps)))
    }
    let x =
      Sample.uniform([4, 3], seed: 5, low: -2, high: 2) * levels[0].totalVariance.squareRoot()
    var trajectory = Trajectory(
      from: x, plan: SamplingPlan(levels: levels), solver: DDIM(),
      denoiser: ExactDenoiser(world: world), noise: NoNoise())
    let end = try trajectory.last()
    let exact = world.flow(
      x, from: (levels[0].signal, levels[0].noise),
      to: (levels[steps].signal, levels[steps].noise), steps: 1000)
    return zip(end.doubles, exact.doubles).map { abs($0 - $1) }.max() ?? 0
  }

  @Test(arguments: 0..<3, [GaussianWorld.gaussian, .mixture])
  func deterministicDDIMConvergesWithOrderOne(_ family: Int, _ world: GaussianWorld) throws {
    let (name, level) = Self.families[family]
    let coarse = try error(world, steps: 200, level)
    let fine = try error(world, steps: 400, level)
    let order = log2(coarse / fine)
    #expect(abs(order - Double(DDIM().order)) < 0.15, "\(name): order \(order)")
  }

  // MARK: Moments

  /// On one Gaussian every step is affine, so the moments of what ancestral sampling gives follow by recursion.
  @Test(arguments: [ReverseVariance.fixedSmall, .fixedLarge])
  func ancestralSamplesHaveTheMomentsOfTheChain(_ variance: ReverseVariance) throws {
    let world = GaussianWorld.gaussian
    let (count, steps) = (4000, 50)
    let plan = SamplingPlan(
      timesteps: TimestepSpacing.trailing.timesteps(steps, of: 1000), of: Self.process)
    var trajectory = Trajectory(
      shape: [count, 3], dtype: .float64, plan: plan, solver: Ancestral(variance: variance),
      denoiser: ExactDenoiser(world: world),
      noise: IntervalNoise(seeds: (0..<UInt64(count)).map { $0 }))
    let samples = try trajectory.last().doubles
    for dimension in 0..<3 {
      let expected = moments(of: plan, world.components[0], dimension, variance)
      let values = (0..<count).map { samples[$0 * 3 + dimension] }
      let mean = values.reduce(0, +) / Double(count)
      let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
      let meanError = (expected.variance / Double(count)).squareRoot()
      #expect(abs(mean - expected.mean) < 4 * meanError)
      #expect(relative(spread, expected.variance) < 4 * (2 / Double(count)).squareRoot())
      // And over all thousand steps those are the data's.
      let whole = SamplingPlan(timesteps: (0..<1000).reversed(), of: Self.process)
      let truth = world.components[0]
      let limit = moments(of: whole, truth, dimension, variance)
      #expect(abs(limit.mean - truth.mean[dimension]) < 2e-3)
      #expect(relative(limit.variance, truth.variance[dimension]) < 0.05)
    }
  }

  private func moments(
    of plan: SamplingPlan, _ component: GaussianWorld.Component, _ dimension: Int,
    _ kind: ReverseVariance
  ) -> (mean: Double, variance: Double) {
    let (m, v) = (component.mean[dimension], component.variance[dimension])
    var (mean, variance) = (0.0, 1.0)
    for interval in plan.intervals {
      let (a, s) = (interval.from.signal, interval.from.noise)
      let gain = a * v / (a * a * v + s * s)
      let posterior = Posterior(at: interval.to, from: interval.from)
      let slope = posterior.sampleWeight + posterior.dataWeight * gain
      mean = slope * mean + posterior.dataWeight * (m - gain * a * m)
      var added = kind == .fixedSmall ? posterior.variance : posterior.transitionVariance
      if interval.to.noise == 0 { added = 0 }
      variance = slope * slope * variance + added
    }
    return (mean, variance)
  }
}
