import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// A mixture whose component is the class, so that everything about it is known.
@Suite struct ClassifierGuidanceTests {
  static let world = GaussianWorld.mixture
  static let levels = [
    NoiseLevel(squaredSignal: 0.9), NoiseLevel(squaredSignal: 0.2), NoiseLevel(sigma: 0.7),
    NoiseLevel(signal: 0.3, noise: 0.7),
  ]

  /// `log p(k | x)` of every component, `[batch, components]`, differentiable.
  static func logPosterior(_ x: Tensor, _ level: NoiseLevel) -> Tensor {
    let logs = world.components.map { component -> Tensor in
      let variance = component.variance.map {
        level.signal * level.signal * $0 + level.noise * level.noise
      }
      let centered = x - Tensor(component.mean.map { level.signal * $0 })
      let squares = (centered * centered / Tensor(variance)).sum(axes: [1], keepingDimensions: true)
      let constant = log(component.weight) - 0.5 * variance.map { log($0) }.reduce(0, +)
      return squares * -0.5 + constant
    }
    return Tensor.concatenated(logs, axis: 1).logSoftmax(axis: 1)
  }

  static func classifier(_ index: Int) -> @Sendable (Tensor, NoiseLevel) -> Tensor {
    { x, level in
      logPosterior(x, level).sliced(axis: 1, index..<(index + 1)).reshaped([x.shape[0]])
    }
  }

  /// Bayes: the mixture's score and its exact classifier's give the component's score.
  @Test(arguments: levels, [0, 1])
  func theExactClassifierGivesTheConditionalDenoiser(_ level: NoiseLevel, _ index: Int) {
    let x = Sample.uniform([6, 3], seed: 2, low: -2, high: 2)
    let guided = ClassifierGuidance(
      ExactDenoiser(world: Self.world), logProbability: Self.classifier(index))
    let component = GaussianWorld(components: [Self.world.components[index]])
    expectClose(
      guided.estimate(x, at: level).denoised,
      component.denoised(x, signal: level.signal, noise: level.noise), tolerance: 1e-12)
  }

  /// Dhariwal and Nichol's algorithm 2: `epsilon - noise scale grad`.
  @Test func shiftsTheNoiseAsAlgorithm2() {
    let (x, level) = (Sample.uniform([2, 3], seed: 5), Self.levels[1])
    let base = AnyEstimate { x, _ in Estimate(denoised: x, direction: x * 2) }
    let slope = Tensor([0.3, -0.2, 0.5])
    let guided = ClassifierGuidance(base, scale: 2.5) { x, _ in (x * slope).sum(axes: [1]) }
    let estimate = guided.estimate(x, at: level)
    let plain = Estimate(denoised: x * 2).noise(in: x, at: level)
    expectClose(
      estimate.noise(in: x, at: level), plain - slope * (2.5 * level.noise), tolerance: 1e-13)
  }

  /// Algorithm 1 shifts the ancestral mean by `scale beta grad`; over a small step the two agree.
  @Test func shiftsTheAncestralMeanAsAlgorithm1() {
    let process = DiscreteProcess(.ddpm)
    let (from, to) = (process.levels[300], process.levels[299])
    let x = Sample.uniform([2, 3], seed: 5)
    let slope = Tensor([0.3, -0.2, 0.5])
    let base = ExactDenoiser(world: Self.world)
    let guided = ClassifierGuidance(base, scale: 2) { x, _ in (x * slope).sum(axes: [1]) }
    func mean<D: Denoiser>(_ denoiser: D) throws(D.Failure) -> Tensor {
      var (evaluator, noise, memory) = (Evaluator(denoiser), NoNoise(), NoMemory())
      return try Ancestral().step(
        x, over: Interval(from: from, to: to), with: &evaluator, noise: &noise, memory: &memory
      ).x
    }
    let beta = process.betas[300]
    let shift = (mean(guided) - mean(base)).doubles
    for (found, wanted) in zip(shift, (slope * (2 * beta)).doubles + (slope * (2 * beta)).doubles) {
      #expect(relative(found, wanted) < beta, "1 / sqrt(1 - beta) is off by beta / 2")
    }
  }

  @Test func leavesPureNoiseAlone() {
    let guided = ClassifierGuidance(
      AnyEstimate { x, _ in Estimate(denoised: x * 0) }, logProbability: Self.classifier(0))
    let estimate = guided.estimate(Sample.uniform([2, 3]), at: .pureNoise)
    #expect(estimate.denoised.doubles.allSatisfy { $0 == 0 })
  }

  /// Guidance may be stacked: bounds around classifier guidance around classifier-free guidance.
  @Test func composes() {
    let inner = ClassifierFreeGuidance(
      NetworkDenoiser(
        FunctionNetwork { x, _ in x * 0.5 }, process: DiscreteProcess(.ddpm),
        parameterization: .sample),
      towards: [NoCondition()], awayFrom: [NoCondition()],
      rule: GuidanceRule(scale: 3, projection: GuidanceProjection(momentum: -0.5)))
    let slope = Tensor([1.0, 0, 0])
    let guided = Thresholded(
      ClassifierGuidance(inner) { x, _ in (x * slope).sum(axes: [1]) }, .clamped(to: 0.6))
    let level = Self.levels[0]
    let estimate = guided.estimate(Tensor([1.0, -0.4, 0.2], shape: [1, 3]), at: level)
    let factor = level.noise * level.noise / level.signal
    let expected = [min(0.6, 0.5 + factor), -0.2, 0.1]
    #expect(zip(estimate.denoised.doubles, expected).allSatisfy { abs($0 - $1) < 1e-14 })
  }
}
