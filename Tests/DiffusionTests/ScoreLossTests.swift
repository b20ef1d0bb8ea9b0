import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The losses of score-based models on data N(0, d²), where the best denoiser is known: D(x) = a d² x / (a² d² + s²).
@Suite struct ScoreLossTests {
  static let deviation = 0.7

  struct Case: Sendable, CustomStringConvertible {
    let name: String
    let process: any Diffusion.Process
    let parameterization: Parameterization
    let weighting: LossWeighting
    let time: Double
    var description: String { "\(name), \(parameterization.name), at \(time)" }
  }

  static let cases: [Case] = {
    let weightings: [LossWeighting] = [.uniform, .score(power: 1), .likelihood, .edm()]
    let processes: [(String, any Diffusion.Process, Double)] = [
      ("VP", VariancePreserving(), 0.4), ("sub-VP", SubVariancePreserving(), 0.3),
      ("VE", VarianceExploding(), 0.5), ("EDM", EDM(), 1.3),
    ]
    return processes.flatMap { name, process, time in
      Parameterization.allCases.flatMap { parameterization in
        weightings.map {
          Case(
            name: "\(name) \($0)", process: process, parameterization: parameterization,
            weighting: $0, time: time)
        }
      }
    }
  }()

  /// All pairs of data ±d and noise ±1: their mean is the expectation of any polynomial to the third degree.
  private static func batch(_ process: any Diffusion.Process, _ time: Double) -> NoisyBatch {
    let data = Tensor([deviation, deviation, -deviation, -deviation], shape: [4, 1])
    let noise = Tensor([1.0, -1, 1, -1], shape: [4, 1])
    return NoisyBatch(
      data, noise: noise, times: [Double](repeating: time, count: 4), of: process)
  }

  /// The expected loss of the linear network `F = slope * input`.
  private static func expected(_ slope: Tensor, _ loss: DenoisingLoss, _ time: Double) -> Tensor {
    let batch = batch(loss.process, time)
    return loss.perSample(loss.input(for: batch).x * slope, for: batch).mean()
  }

  @Test(arguments: cases) func theBestIsTheExactScoreAndItsLossIsKnown(_ item: Case) {
    let loss = DenoisingLoss(
      process: item.process, parameterization: item.parameterization, weighting: item.weighting)
    let level = item.process.level(at: item.time)
    let numbers = item.parameterization.preconditioning(at: level, of: item.process)
    let variance = Self.deviation * Self.deviation
    let total = level.signal * level.signal * variance + level.noise * level.noise
    let best = level.signal * variance / total
    let slope = Tensor([(best - numbers.skip) / (numbers.output * numbers.input)], shape: [1])
    let tape = Tape()
    let variable = tape.watch(slope)
    let gradient = tape.gradients(
      of: Self.expected(variable, loss, item.time), withRespectTo: [variable])[0].item
    let weight = item.weighting.weight(
      at: level, of: item.parameterization, on: item.process)
    // The gradient is a difference of numbers of this size.
    let input = numbers.input * numbers.input * total
    let size = weight * input * (1 + abs(slope.item))
    #expect(abs(gradient) < 1e-10 * size)
    // What is left is the data's variance given the sample, in the answer's units.
    let left = variance * level.noise * level.noise / total
    let known = weight * left / (numbers.output * numbers.output)
    #expect(relative(Self.expected(slope, loss, item.time).item, known) < 1e-9)
    for moved in [slope + 0.1, slope - 0.1] {
      #expect(Self.expected(moved, loss, item.time).item > known)
    }
    // And the answer is the score.
    let x = Tensor([0.8], shape: [1, 1])
    let answer = loss.input(x, at: [level]).x * slope
    #expect(relative(loss.score(answer, of: x, at: [level]).item, -0.8 / total) < 1e-10)
  }

  private static func loss(_ item: Case, of score: Double, epsilon: Double) -> Double {
    let level = item.process.level(at: item.time)
    let batch = NoisyBatch(
      Tensor([0.3], shape: [1, 1]), noise: Tensor([epsilon], shape: [1, 1]), times: [item.time],
      of: item.process)
    let conversion = Parameterization.score.conversion(
      to: item.parameterization, at: level, of: item.process)
    let answer = score * conversion.output + batch.noisy.item * conversion.sample
    let loss = DenoisingLoss(
      process: item.process, parameterization: item.parameterization, weighting: item.weighting)
    return loss.perSample(Tensor([answer], shape: [1, 1]), for: batch).item
  }

  /// The weights as the papers write them, whatever the network predicts.
  @Test(arguments: Parameterization.allCases)
  func weightsAreThePapers(_ parameterization: Parameterization) {
    let (score, epsilon) = (-0.4, 0.9)
    func check(
      _ process: any Diffusion.Process, _ weighting: LossWeighting, _ time: Double,
      _ weight: Double,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let item = Case(
        name: "", process: process, parameterization: parameterization, weighting: weighting,
        time: time)
      let error = score + epsilon / process.level(at: time).noise
      let found = Self.loss(item, of: score, epsilon: epsilon)
      #expect(
        relative(found, weight * error * error) < 1e-9, "\(item)", sourceLocation: sourceLocation)
    }
    // NCSN: sigma^2 on the score, sigma geometric.
    check(VarianceExploding(from: 0.01, to: 1), .score(), 0.5, 0.01)
    check(VarianceExploding(from: 0.01, to: 1), .score(power: 3), 0.5, 0.001)
    // g^2: beta for VP, beta (1 - exp(-2 B)) for sub-VP, 2 sigma^2 ln(50 / 0.01) for VE.
    let beta = 0.1 + 0.5 * 19.9
    let integral = 0.5 * (0.1 + beta) / 2
    check(VariancePreserving(), .likelihood, 0.5, beta)
    check(SubVariancePreserving(), .likelihood, 0.5, beta * (1 - exp(-2 * integral)))
    check(VarianceExploding(), .likelihood, 0.5, 2 * 0.5 * log(5000.0))
    // EDM: (sigma^2 + d^2) / (sigma d)^2 on the data, which is sigma^2 times the score.
    let sigma = 1.3
    let weight = (sigma * sigma + 0.25) / (sigma * sigma * 0.25)
    check(EDM(), .edm(), sigma, weight * pow(sigma, 4))
  }

  @Test func importanceSamplingKeepsTheExpectation() {
    let processes: [(any Diffusion.Process, Double)] = [
      (VariancePreserving(), 1e-3), (SubVariancePreserving(), 1e-2), (VarianceExploding(), 0),
    ]
    for (process, first) in processes {
      func integral(_ distribution: TimeDistribution, _ value: (Double) -> Double) -> Double {
        let count = 20_000
        return (0..<count).reduce(0) { sum, index in
          let share = (Double(index) + 0.5) / Double(count)
          let drawn = distribution.quantile(share, on: process)
          return sum + drawn.importance * value(drawn.time) / Double(count)
        }
      }
      // The midpoint rule over 20,000 points of a smooth function of bounded slope.
      let values: [@Sendable (Double) -> Double] = [{ $0 }, { cos(5 * $0) }]
      for value in values {
        let expected = integral(.uniform(from: first), value)
        #expect(relative(integral(.importance(from: first), value), expected) < 1e-4)
      }
      // An error in epsilon that is the same everywhere costs the same everywhere.
      let costs = [0.1, 0.5, 0.9].map { share -> Double in
        let drawn = TimeDistribution.importance(from: first).quantile(share, on: process)
        let level = process.level(at: drawn.time)
        return drawn.importance
          * LossWeighting.likelihood.weight(at: level, of: .epsilon, on: process)
      }
      for cost in costs { #expect(relative(cost, costs[0]) < 1e-9) }
    }
  }

  @Test func timesAreDrawnAsTheyShould() {
    var draws = CounterGenerator(seed: 3)
    let levels = Set(
      TimeDistribution.evenlySpaced(10).draw(
        400, on: VarianceExploding(from: 0.01, to: 1), using: &draws
      ).times.map { VarianceExploding(from: 0.01, to: 1).level(at: $0).noise }
    ).sorted()
    // NCSN's ten levels, geometric of ratio 0.599484250.
    #expect(levels.count == 10 && abs(levels[0] - 0.01) < 1e-15 && abs(levels[9] - 1) < 1e-15)
    for (low, high) in zip(levels, levels.dropFirst()) {
      #expect(abs(low / high - 0.599484250) < 1e-9)
    }
    let chain = DiscreteProcess(.ddpm)
    let steps = TimeDistribution.evenlySpaced(1000).draw(5000, on: chain, using: &draws).times
    #expect(steps.allSatisfy { $0 == $0.rounded() && chain.times.contains($0) })
    // Normal logarithms: mean and deviation within five standard errors.
    let logs = TimeDistribution.logNormal().draw(20_000, on: EDM(), using: &draws).times.map {
      log($0)
    }
    let mean = logs.reduce(0, +) / 20_000
    let square = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean + 1.2) < 5 * 1.2 / 20_000.0.squareRoot())
    #expect(abs(square.squareRoot() - 1.2) < 5 * 1.2 / 40_000.0.squareRoot())
  }
}
