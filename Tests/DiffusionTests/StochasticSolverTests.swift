import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct StochasticSolverTests {
  static let families: [(String, @Sendable (Double) -> NoiseLevel)] = [
    ("preserving", { NoiseLevel(variancePreservingRatio: $0) }),
    ("exploding", { NoiseLevel(sigma: $0) }),
    ("flow", { NoiseLevel(signal: 1 / (1 + $0), noise: $0 / (1 + $0)) }),
  ]

  /// One step of a solver, its draws from a list.
  func step<S: Solver, D: Denoiser>(
    _ solver: S, _ x: Tensor, _ interval: Interval, _ denoiser: D, _ draws: [Tensor]
  ) throws -> Tensor {
    var (evaluator, memory) = (Evaluator(denoiser), solver.start())
    var source = InjectedNoise(start: x, steps: draws)
    return try solver.step(
      x, over: interval, with: &evaluator, noise: &source, memory: &memory
    ).x
  }

  // MARK: The same bytes

  static let sampled = SolverCatalog.all.filter(\.isStochastic)

  @Test(arguments: sampled.map(\.name))
  func aSampleDependsOnItsSeedAlone(_ name: String) throws {
    let entry = try #require(SolverCatalog.entry(named: name))
    func run(_ seeds: [UInt64]) throws -> [Float] {
      let sampler = entry.make(SolverOptions())
      let levels = [8, 2, 0.7, 0.2, 0.05].map { NoiseLevel(variancePreservingRatio: $0) }
      let plan = sampler.plan(SamplingPlan(levels: levels + [.clean]))
      return try last(sampler.solver, plan, shape: [seeds.count, 600], BrownianPath(seeds: seeds))
    }
    let batch = try run([3, 4, 5, 6])
    for (index, seed) in [3, 4, 5, 6].enumerated() {
      expectSame(Array(batch[index * 600..<index * 600 + 600]), try run([UInt64(seed)]), name)
    }
    #expect(batch[..<600] != batch[600..<1200])
  }

  private func last<S: Solver, N: NoiseSource>(
    _ solver: S, _ plan: SamplingPlan, shape: [Int], _ noise: N
  ) throws -> [Float] {
    let mixture = GaussianWorld.mixture.components.map {
      MixtureDenoiser.Component(weight: $0.weight, mean: $0.mean, variance: $0.variance)
    }
    var trajectory = Trajectory(
      shape: shape, plan: plan, solver: solver, denoiser: MixtureDenoiser(mixture), noise: noise)
    return try trajectory.last().floats
  }

  // MARK: One solver in another's words

  @Test(arguments: [0, 0.4, 1.0])
  func ancestralEulerIsDDIM(_ eta: Double) throws {
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = ExactDenoiser(world: .mixture)
    for (name, level) in Self.families[..<2] {
      for to in [level(1.2), .clean] {
        let interval = Interval(from: level(3), to: to)
        expectClose(
          try step(EulerAncestral(eta: eta), x, interval, denoiser, [z]),
          try step(DDIM(eta: eta), x, interval, denoiser, [z]), tolerance: 1e-12, name)
      }
    }
  }

  /// ComfyUI's `sample_euler_ancestral_RF`, its numbers worked out here in its own letters.
  @Test(arguments: [0.5, 1.0])
  func ancestralEulerOnFlowIsComfyUIs(_ eta: Double) throws {
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let (now, next) = (0.8, 0.6)
    let interval = Interval(
      from: NoiseLevel(signal: 1 - now, noise: now), to: NoiseLevel(signal: 1 - next, noise: next))
    let denoiser = ExactDenoiser(world: .mixture)
    let d = denoiser.estimate(x, at: interval.from).denoised
    let down = next * (1 + (next / now - 1) * eta)
    let scale = (1 - next) / (1 - down)
    let renoise = (next * next - down * down * scale * scale).squareRoot()
    let expected = Tensor.linearCombination([
      (scale * down / now, x), (scale * (1 - down / now), d), (renoise, z),
    ])
    expectClose(
      try step(EulerAncestral(eta: eta), x, interval, denoiser, [z]), expected, tolerance: 1e-12)
  }

  @Test func fullNoiseIsTheExponentialIntegratorsFirstStep() throws {
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = ExactDenoiser(world: .mixture)
    for (name, level) in Self.families {
      let interval = Interval(from: level(3), to: level(1.2))
      let ancestral = try step(Ancestral(), x, interval, denoiser, [z])
      for other in [DPMPlusPlusMultistepSDE.Rule.midpoint, .heun, .third, .parabola] {
        expectClose(
          try step(DPMPlusPlusMultistepSDE(other), x, interval, denoiser, [z]), ancestral,
          tolerance: 1e-12, name)
      }
      expectClose(
        try step(SASolver(), x, interval, denoiser, [z]), ancestral, tolerance: 1e-12, name)
    }
  }

  @Test func onExplodingLevelsTheReverseStepsAreOne() throws {
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let interval = Interval(from: NoiseLevel(sigma: 3), to: NoiseLevel(sigma: 2.5))
    let denoiser = ExactDenoiser(world: .mixture)
    expectClose(
      try step(EulerMaruyama(), x, interval, denoiser, [z]),
      try step(ReverseDiffusion(), x, interval, denoiser, [z]), tolerance: 1e-12)
  }

  /// Over a step of DDPM's chain: `x' = (2 - sqrt(1 - beta)) x + beta score + sqrt(beta) z`.
  @Test func reverseDiffusionIsTheChainsTurnedRound() throws {
    let process = DiscreteProcess(.ddpm)
    let (x, z) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = ExactDenoiser(world: .mixture)
    let interval = Interval(from: process.levels[600], to: process.levels[599])
    let score = denoiser.estimate(x, at: interval.from).score(of: x, at: interval.from)
    let beta = process.betas[600]
    let expected = Tensor.linearCombination([
      (2 - (1 - beta).squareRoot(), x), (beta, score), (beta.squareRoot(), z),
    ])
    expectClose(
      try step(ReverseDiffusion(), x, interval, denoiser, [z]), expected, tolerance: 1e-9)
  }

  @Test(arguments: [MidpointAncestral.Rule.dpm2, .dpmPlusPlus2S])
  func stepsFromPureNoiseAndToCleanDataAreFinite(_ rule: MidpointAncestral.Rule) throws {
    let x = Sample.uniform([2, 3], seed: 1)
    let denoiser = ExactDenoiser(world: .mixture)
    let level = Self.families[2].1
    for interval in [
      Interval(from: .pureNoise, to: level(1)), Interval(from: level(1), to: .clean),
    ] {
      #expect(try step(MidpointAncestral(rule), x, interval, denoiser, [x]).isFinite)
      #expect(try step(DPMPlusPlusSDE(), x, interval, denoiser, [x]).isFinite)
      #expect(try step(DPMPlusPlusMultistepSDE(.third), x, interval, denoiser, [x]).isFinite)
      #expect(try step(SASolver(), x, interval, denoiser, [x]).isFinite)
      #expect(try step(EulerMaruyama(), x, interval, denoiser, [x]).isFinite)
      #expect(try step(ReverseDiffusion(), x, interval, denoiser, [x]).isFinite)
    }
  }
}
