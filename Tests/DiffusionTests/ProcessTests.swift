import Diffusion
import Foundation
import TestSupport
import Testing

/// What holds for every process.
@Suite struct ProcessTests {
  struct Case: Sendable, CustomStringConvertible {
    let process: any Diffusion.Process
    let times: [Double]
    var description: String { "\(process)".prefix(60).description }

    init(_ process: any Diffusion.Process, _ times: [Double] = [1e-3, 0.1, 0.37, 0.5, 0.9, 0.999]) {
      self.process = process
      self.times = times
    }
  }

  static let cases = [
    Case(VariancePreserving()), Case(VariancePreserving(beta: LinearBeta(from: 0, to: 4))),
    Case(VariancePreserving(beta: LinearBeta(from: 2, to: 2))),
    Case(SubVariancePreserving()), Case(VarianceExploding()),
    Case(VarianceExploding(from: 0.01, to: 1348)), Case(EDM(), [0.002, 0.5, 3, 79]),
    Case(TrigonometricProcess()), Case(RectifiedFlow()), Case(RectifiedFlow(shift: 3)),
    Case(RectifiedFlow(shift: 0.4)),
    Case(DiscreteProcess(.ddpm), [0, 3.4, 500.5, 998]),
    Case(DiscreteProcess(.stableDiffusion), [0.5, 250, 998.2]),
    Case(DiscreteProcess(.cosine()), [0.5, 250, 900.2]),
    Case(DiscreteProcess(.stableDiffusion, zeroTerminalSNR: true), [0.5, 250, 900.2]),
  ]

  /// The ratio is rounded to a share of 1e-16, and its logarithm grows at least as fast as 1 / (20 t).
  @Test(arguments: cases)
  func conversionsGoBothWays(_ test: Case) {
    let process = test.process
    for time in test.times {
      let level = process.level(at: time)
      let tolerance = 1e-11 * max(1, time)
      #expect(abs(process.time(of: level) - time) < tolerance)
      #expect(abs(process.time(ofRatio: process.ratio(at: time)) - time) < tolerance)
      #expect(abs(process.time(ofLogSNR: process.logSNR(at: time)) - time) < tolerance)
      #expect(abs(process.time(ofTimestep: process.timestep(at: time)) - time) < tolerance)
      #expect(abs(process.logSNR(at: time) + 2 * log(process.ratio(at: time))) < 1e-10)
      let own = process.ownLevel(of: NoiseLevel(signal: 3 * level.signal, noise: 3 * level.noise))
      #expect(relative(own.signal, level.signal) < 1e-11)
      #expect(relative(own.noise, level.noise) < 1e-11)
    }
    #expect(process.time(of: .pureNoise) == process.times.upperBound)
  }

  @Test(arguments: cases)
  func noiseGrowsWithTime(_ test: Case) {
    let (first, last) = (test.process.times.lowerBound, test.process.times.upperBound)
    let ratios = (0...64).map { step -> Double in
      let time = first + Double(step) / 64 * (last - first)
      return test.process.ratio(at: time)
    }
    #expect(zip(ratios, ratios.dropFirst()).allSatisfy { $0 < $1 })
  }

  /// `d ln(signal)/dt = f` and `d(noise^2)/dt = 2 f noise^2 + g^2`, by central differences of fourth order.
  @Test(arguments: cases)
  func driftAndDiffusionAreTheLevelsDerivatives(_ test: Case) {
    let process = test.process
    // A chain is smooth between two timesteps only.
    let isChain = process is DiscreteProcess
    for time in isChain ? test.times.map({ $0.rounded(.down) + 0.5 }) : test.times {
      let h = isChain ? 0.01 : 1e-3 * min(time, process.times.upperBound + 0.001 - time)
      func derivative(_ value: (NoiseLevel) -> Double) -> Double {
        func at(_ steps: Double) -> Double { value(process.level(at: time + steps * h)) }
        return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
      }
      let noise = process.level(at: time).noise
      let (f, g2) = (process.drift(at: time), process.squaredDiffusion(at: time))
      let signalRate = derivative { log($0.signal) }
      let varianceRate = derivative { $0.noise * $0.noise }
      // Fourth order in a thousandth (a hundredth of a chain's first step, where noise grows 4-fold), and rounding divided by the step.
      let rounding = 1e-15 / h
      #expect(abs(signalRate - f) < 1e-8 * abs(f) + 10 * rounding)
      #expect(
        abs(varianceRate - (2 * f * noise * noise + g2)) < 1e-8 * g2 + 10 * noise * noise * rounding
      )
    }
  }

  /// The marginal density of Gaussian data solves `dp/dt = -d(f x p)/dx + g^2 / 2 d^2 p / dx^2`.
  @Test(arguments: cases)
  func gaussianMarginalsSolveTheFokkerPlanckEquation(_ test: Case) {
    let process = test.process
    let (mean, variance) = (0.7, 0.3)
    func density(_ x: Double, _ time: Double) -> Double {
      let level = process.level(at: time)
      let total = level.signal * level.signal * variance + level.noise * level.noise
      let centered = x - level.signal * mean
      return exp(-centered * centered / (2 * total)) / (2 * .pi * total).squareRoot()
    }
    let isChain = process is DiscreteProcess
    let inner = test.times.filter { isChain || ($0 >= 0.1 && $0 <= 0.9) }
    for time in inner.map({ isChain ? $0.rounded(.down) + 0.5 : $0 }) {
      let (f, g2) = (process.drift(at: time), process.squaredDiffusion(at: time))
      let level = process.level(at: time)
      let width = (level.signal * level.signal * variance + level.noise * level.noise).squareRoot()
      let (h, dt) = (1e-3 * width, isChain ? 0.05 : 1e-3 * time)
      for place in [-1.5, -0.2, 0.8] {
        let x = level.signal * mean + place * width
        let rate = (density(x, time + dt) - density(x, time - dt)) / (2 * dt)
        func flux(_ x: Double) -> Double { f * x * density(x, time) }
        let transport = (flux(x + h) - flux(x - h)) / (2 * h)
        let curvature =
          (density(x + h, time) - 2 * density(x, time) + density(x - h, time)) / (h * h)
        // Second order in a thousandth of the scales, which are at least a tenth of time's.
        let scale = (abs(f) * abs(x) / width + abs(f) + g2 / (width * width)) / width
        #expect(abs(rate + transport - g2 / 2 * curvature) < 1e-4 * scale)
      }
    }
  }

  @Test(arguments: cases)
  func kernelsChain(_ test: Case) {
    for (s, t) in zip(test.times, test.times.dropFirst()) {
      let (first, second) = (test.process.level(at: s), test.process.level(at: t))
      let kernel = test.process.transition(from: s, to: t)
      #expect(relative(kernel.scale * first.signal, second.signal) < 1e-13)
      let variance = kernel.scale * kernel.scale * first.noise * first.noise + kernel.variance
      #expect(relative(variance, second.noise * second.noise) < 1e-12)
      let back = test.process.posterior(at: s, from: t)
      #expect(back.transitionVariance == kernel.variance)
      // E[x_s] from E[x_t] and x0.
      let mean = back.sampleWeight * second.signal + back.dataWeight
      #expect(relative(mean, first.signal) < 1e-11)
    }
  }
}
