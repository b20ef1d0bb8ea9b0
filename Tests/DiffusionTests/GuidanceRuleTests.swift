import Diffusion
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Estimates from two lists, chosen by condition: true is the strong one.
private struct ListedDenoiser: ConditionalDenoiser {
  let strong: Tensor
  let weak: Tensor

  func estimate(_ x: Tensor, at level: NoiseLevel, given conditions: [Bool]) -> Estimate {
    let count = conditions.count { $0 }
    let parts =
      [strong.sliced(axis: 0, 0..<count)]
      + (count < conditions.count ? [weak.sliced(axis: 0, 0..<(conditions.count - count))] : [])
    return Estimate(denoised: Tensor.concatenated(parts, axis: 0))
  }
}

/// Rules of guidance against diffusers' guiders, as Tests/Golden/make_guidance.py ran them, and against their definitions.
@Suite struct GuidanceRuleTests {
  struct Case: Decodable, Sendable {
    let name: String
    let scale: Double
    let parallel: Double
    let largest_norm: Double
    let momentum: Double
    let rescale: Double
  }

  static let file = try? SafetensorsFile(
    path: Shared.golden.appendingPathComponent("guidance.safetensors").path)
  static let cases: [Case] = {
    (try? JSONDecoder().decode([Case].self, from: Data((file?.metadata["cases"] ?? "").utf8))) ?? []
  }()
  static let level = NoiseLevel(variancePreservingRatio: 1.3)

  @Test func thereAreCases() { #expect(Self.cases.count == 6) }

  @Test(arguments: cases)
  func agreesWithDiffusers(_ example: Case) throws {
    let file = try #require(Self.file)
    let (strong, weak) = (
      try file.tensor(named: "strong"), try file.tensor(named: "weak")
    )
    let expected = try file.tensor(named: example.name)
    let projection = GuidanceProjection(
      parallel: example.parallel,
      largestNorm: example.largest_norm > 0 ? example.largest_norm : nil,
      momentum: example.momentum)
    let rule = GuidanceRule(
      scale: example.scale, projection: projection,
      rescale: example.rescale > 0 ? GuidanceRescale(share: example.rescale, of: .sample) : nil)
    func step(_ tensor: Tensor, _ index: Int) -> Tensor {
      tensor.sliced(axis: 0, index..<(index + 1)).reshaped(Array(tensor.shape.dropFirst()))
    }
    var memory = GuidanceMemory()
    for index in 0..<strong.shape[0] {
      let base = ListedDenoiser(strong: step(strong, index), weak: step(weak, index))
      let guided = ClassifierFreeGuidance(
        base, towards: [true, true], awayFrom: [false, false], rule: rule)
      // Half way the memory goes to disk and back.
      memory = try JSONDecoder().decode(
        GuidanceMemory.self, from: JSONEncoder().encode(memory))
      let estimate = guided.estimate(
        step(strong, index) * 0.5, at: Self.level, memory: &memory)
      expectClose(
        estimate.denoised, step(expected, index), tolerance: 1e-13, "\(example.name) \(index)")
    }
  }

  /// The quantity whose spread is kept is the one that was named.
  @Test(arguments: Parameterization.allCases)
  func rescalesTheNamedQuantity(_ quantity: Parameterization) {
    let x = Sample.uniform([2, 6], seed: 3)
    let (strong, weak) = (Sample.uniform([2, 6], seed: 4), Sample.uniform([2, 6], seed: 5))
    func answer(_ denoised: Tensor) -> Tensor {
      let estimate = Estimate(denoised: denoised)
      let numbers = quantity.target(at: Self.level)
      return Tensor.linearCombination([
        (numbers.data, denoised), (numbers.noise, estimate.noise(in: x, at: Self.level)),
      ])
    }
    let guided = ClassifierFreeGuidance(
      ListedDenoiser(strong: strong, weak: weak), towards: [true, true], awayFrom: [false, false],
      rule: GuidanceRule(scale: 5, rescale: GuidanceRescale(share: 1, of: quantity))
    ).estimate(x, at: Self.level)
    expectClose(
      answer(guided.denoised).variance(axes: [1]), answer(strong).variance(axes: [1]),
      tolerance: 1e-12)
    let plain = answer(weak) * -4 + answer(strong) * 5
    let factor = (answer(strong).variance(axes: [1]) / plain.variance(axes: [1])).sqrt()
    expectClose(
      answer(guided.denoised), plain * factor.reshaped([2, 1]), tolerance: 1e-12)
  }

  @Test func CFGPlusPlusGoesOnAlongTheWeakEstimate() {
    let (strong, weak) = (Sample.uniform([1, 3], seed: 4), Sample.uniform([1, 3], seed: 5))
    let x = Sample.uniform([1, 3], seed: 6)
    for scale in [0.6, 1] {
      let guided = ClassifierFreeGuidance(
        ListedDenoiser(strong: strong, weak: weak), towards: [true], awayFrom: [false],
        rule: GuidanceRule(scale: scale, keepsWeakDirection: true))
      // One step of DDIM is the paper's algorithm 2: guided data, unconditional noise.
      var (evaluator, noise, memory) = (Evaluator(guided), NoNoise(), NoMemory())
      let to = NoiseLevel(variancePreservingRatio: 0.4)
      let made = DDIM().step(
        x, over: Interval(from: Self.level, to: to), with: &evaluator, noise: &noise,
        memory: &memory)
      let epsilon = Estimate(denoised: weak).noise(in: x, at: Self.level)
      let data = strong * scale + weak * (1 - scale)
      expectClose(made.x, data * to.signal + epsilon * to.noise, tolerance: 1e-13)
    }
  }

  @Test func autoguidanceFollowsTheSameRuleAndSparesTheWeakModel() {
    let asked = CallCounter()
    let strong = AnyEstimate { x, _ in Estimate(denoised: x * 2, variance: x) }
    let weak = AnyEstimate { x, _ in
      asked.increment()
      return Estimate(denoised: x)
    }
    let x = Sample.uniform([2, 3], seed: 6)
    let rule = GuidanceRule(scale: 3, interval: 0.5...2)
    let guided = AutoGuidance(strong, awayFrom: weak, rule: rule)
    let inside = guided.estimate(x, at: Self.level)
    expectClose(inside.denoised, x * 4, tolerance: 1e-15)
    #expect(inside.variance != nil && asked.count == 1)
    for ratio in [0.4, 2.1] {
      let outside = guided.estimate(x, at: NoiseLevel(variancePreservingRatio: ratio))
      expectClose(outside.denoised, x * 2, tolerance: 1e-15)
    }
    #expect(asked.count == 1, "outside of the interval the weak model costs nothing")
  }

  /// A sample's bytes do not depend on its company, whatever is combined.
  @Test func samplesAreGuidedAlone() {
    let rule = GuidanceRule(
      scale: 4,
      projection: GuidanceProjection(parallel: 0.3, largestNorm: 1.1, momentum: -0.5),
      rescale: GuidanceRescale())
    let strong = Sample.uniform([5, 7, 3], seed: 8).converted(to: .float32)
    let weak = Sample.uniform([5, 7, 3], seed: 9).converted(to: .float32)
    let x = Sample.uniform([5, 7, 3], seed: 10).converted(to: .float32)
    func guided(_ range: Range<Int>) -> [Float] {
      func part(_ tensor: Tensor) -> Tensor { tensor.sliced(axis: 0, range) }
      let denoiser = ClassifierFreeGuidance(
        ListedDenoiser(strong: part(strong), weak: part(weak)),
        towards: range.map { _ in true }, awayFrom: range.map { _ in false }, rule: rule)
      var memory = denoiser.start()
      _ = denoiser.estimate(part(x), at: Self.level, memory: &memory)
      return denoiser.estimate(part(x) * 0.5, at: Self.level, memory: &memory).denoised.floats
    }
    expectSame(guided(0..<5), (0..<5).flatMap { guided($0..<($0 + 1)) })
  }
}
