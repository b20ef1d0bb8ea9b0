import Diffusion
import Foundation
import TensorCore

/// How fast a solver that adds noise nears the reverse SDE as its steps get shorter, where the answer is known.
public enum StochasticConvergence {
  /// Errors at growing numbers of steps, and the order that they fall with.
  public struct Result: Sendable, Codable {
    /// How many steps.
    public let steps: [Int]
    /// The error at each.
    public let errors: [Double]
    /// One standard error of each; 0 where the error is exact.
    public let deviations: [Double]
    /// The slope between the last two, `log2` of their ratio where steps double.
    public let order: Double
    /// One standard error of ``order``.
    public let orderDeviation: Double

    /// Errors that are exact.
    init(steps: [Int], errors: [Double]) {
      (self.steps, self.errors) = (steps, errors)
      deviations = steps.map { _ in 0 }
      order = Self.slope(steps, errors)
      orderDeviation = 0
    }

    /// Means over paths, which all numbers of steps share: the order's error is the jackknife's over blocks of them.
    init(steps: [Int], samples: [[Double]], blocks: Int = 20) {
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
      self.steps = steps
      errors = samples.map(mean)
      deviations = samples.map { values in
        let center = mean(values)
        let square = mean(values.map { ($0 - center) * ($0 - center) })
        return (square / Double(values.count - 1)).squareRoot()
      }
      order = Self.slope(steps, errors)
      let orders = (0..<blocks).map { block in
        let kept = samples.map { values in
          mean(values.indices.filter { $0 % blocks != block }.map { values[$0] })
        }
        return Self.slope(steps, kept)
      }
      let center = mean(orders)
      let spread = orders.reduce(0) { $0 + ($1 - center) * ($1 - center) }
      orderDeviation = (spread * Double(blocks - 1) / Double(blocks)).squareRoot()
    }

    private static func slope(_ steps: [Int], _ errors: [Double]) -> Double {
      let (before, last) = (steps.count - 2, steps.count - 1)
      return log(errors[before] / errors[last]) / log(Double(steps[last]) / Double(steps[before]))
    }
  }

  /// A grid whose step in `ln(signal / noise)` changes smoothly, on a curve of levels.
  public static func plan(
    steps: Int, from high: Double = 8, to low: Double = 0.05,
    on level: (Double) -> NoiseLevel = { NoiseLevel(variancePreservingRatio: $0) }
  ) -> SamplingPlan {
    let levels = (0...steps).map { index in
      let share = Double(index) / Double(steps)
      return level(exp(log(high) + (log(low) - log(high)) * share))
    }
    return SamplingPlan(levels: levels)
  }
}

// MARK: - Weak order

extension StochasticConvergence {
  /// The error of mean and variance at the end, for one Gaussian N(`mean`, `variance`) and exact samples at the start.
  ///
  /// Every step is affine in the sample and in its draws, so the end is `c + b x + sum g_k z_k` with numbers that probes
  /// find: one sample from 0, one from 1, and one for each draw with that draw alone set to 1. Nothing is random.
  public static func weak(
    _ solver: some Solver, steps: [Int], mean: Double = 0.5, variance: Double = 0.25,
    on level: (Double) -> NoiseLevel = { NoiseLevel(variancePreservingRatio: $0) }
  ) -> Result {
    let denoiser = MixtureDenoiser([.init(weight: 1, mean: [mean], variance: [variance])])
    let errors = steps.map { count in
      let plan = plan(steps: count, on: level)
      let probes = 2 + draws(of: solver, over: plan, denoiser)
      var start = [Double](repeating: 0, count: probes)
      start[1] = 1
      var noise = Probes(first: 2)
      let ends = end(
        of: solver, from: Tensor(start, shape: [probes, 1]), plan, denoiser, &noise)
      let gain = ends[1] - ends[0]
      let added = ends[2...].reduce(0) { $0 + ($1 - ends[0]) * ($1 - ends[0]) }
      let (first, last) = (plan.start, plan.intervals[count - 1].to)
      func truth(_ level: NoiseLevel) -> Double {
        level.signal * level.signal * variance + level.noise * level.noise
      }
      let found = (
        mean: ends[0] + gain * first.signal * mean, variance: gain * gain * truth(first) + added
      )
      return hypot(found.mean - last.signal * mean, found.variance - truth(last))
    }
    return Result(steps: steps, errors: errors)
  }

  /// How often a solver draws noise over a plan.
  private static func draws(
    of solver: some Solver, over plan: SamplingPlan, _ denoiser: MixtureDenoiser
  ) -> Int {
    var noise = Probes(first: .max)
    _ = end(of: solver, from: Tensor([0.0], shape: [1, 1]), plan, denoiser, &noise)
    return noise.drawn
  }

  private static func end<N: NoiseSource>(
    of solver: some Solver, from x: Tensor, _ plan: SamplingPlan, _ denoiser: MixtureDenoiser,
    _ noise: inout N
  ) -> [Double] {
    var (x, evaluator, memory) = (x, Evaluator(denoiser), solver.start())
    for interval in plan.intervals {
      x = solver.step(x, over: interval, with: &evaluator, noise: &noise, memory: &memory).x
    }
    return x.doubles
  }

  /// Noise that is 1 in one sample of the batch, the next one at each draw, and 0 in all others.
  private struct Probes: NoiseSource {
    let first: Int
    var drawn = 0

    init(first: Int) { self.first = first }

    mutating func initial(_ shape: [Int], dtype: DType) -> Tensor {
      Tensor.zeros(shape, dtype: dtype)
    }

    mutating func noise(
      _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
    ) -> Tensor {
      defer { drawn += 1 }
      var values = [Double](repeating: 0, count: shape.reduce(1, *))
      if first < .max, first + drawn < shape[0] { values[first + drawn] = 1 }
      return Tensor(values, shape: shape).converted(to: dtype)
    }
  }
}

// MARK: - Strong order

extension StochasticConvergence {
  /// The mean distance at the end to the solution along the same Brownian path, over `paths` points of a mixture.
  ///
  /// - Parameter truth: ends of the same paths, by ``ends(of:steps:paths:of:seed:on:)`` over many more steps.
  public static func strong(
    _ solver: some Solver, steps: [Int], paths: Int, of mixture: MixtureDenoiser, seed: UInt64 = 5,
    truth: [Double], on level: (Double) -> NoiseLevel = { NoiseLevel(variancePreservingRatio: $0) }
  ) -> Result {
    let dimension = mixture.dimension
    let samples = steps.map { count in
      let found = ends(
        of: solver, steps: count, paths: paths, of: mixture, seed: seed, on: level)
      return (0..<paths).map { path in
        (path * dimension..<(path + 1) * dimension).reduce(0) { sum, i in
          sum + (found[i] - truth[i]) * (found[i] - truth[i])
        }.squareRoot()
      }
    }
    return Result(steps: steps, samples: samples)
  }

  /// Where the paths of a seed end, point after point. All points are one sample of the batch: they share a path of many
  /// dimensions, which is as good as many paths.
  public static func ends(
    of solver: some Solver, steps: Int, paths: Int, of mixture: MixtureDenoiser, seed: UInt64 = 5,
    on level: (Double) -> NoiseLevel = { NoiseLevel(variancePreservingRatio: $0) }
  ) -> [Double] {
    let plan = plan(steps: steps, on: level)
    var noise = BrownianPath(seeds: [seed])
    let shape = [1, paths * mixture.dimension]
    let start = noise.initial(shape, dtype: .float64) * plan.start.totalVariance.squareRoot()
    return end(of: solver, from: start, plan, mixture, &noise)
  }
}
