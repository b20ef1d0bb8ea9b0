import Diffusion
import Foundation
import Testing

@Suite struct DiscreteProcessTests {
  static let processes = [
    DiscreteProcess(.ddpm), DiscreteProcess(.stableDiffusion), DiscreteProcess(.cosine()),
    DiscreteProcess(.sigmoid(from: 1e-4, to: 0.02)), DiscreteProcess(.ddpm, zeroTerminalSNR: true),
  ]

  @Test(arguments: processes)
  func timestepsAndLevelsAreInverse(_ process: DiscreteProcess) {
    for timestep in 0..<process.count {
      #expect(process.level(at: Double(timestep)) == process.levels[timestep])
      #expect(process.time(of: process.levels[timestep]) == Double(timestep))
      #expect(abs(process.levels[timestep].totalVariance - 1) < 1e-15)
    }
    for time in [0.25, 17.5, 499.9, 997.1] {
      #expect(abs(process.time(of: process.level(at: time)) - time) < 1e-8)
    }
    #expect(process.time(of: .clean) == 0)
    #expect(process.time(of: .pureNoise) == 999)
  }

  /// Drift and diffusion move the marginals: d ln(signal)/dt = f and d(noise^2)/dt = 2 f noise^2 + g^2.
  @Test(arguments: processes)
  func driftAndDiffusionMoveTheMarginals(_ process: DiscreteProcess) {
    for time in [3.4, 250.5, 900.3] {
      let h = 1e-4
      let (low, high) = (process.level(at: time - h), process.level(at: time + h))
      let f = process.drift(at: time)
      let noise = process.level(at: time).noise
      #expect(abs((log(high.signal) - log(low.signal)) / (2 * h) - f) < 1e-6 * abs(f) + 1e-10)
      let rate = (high.noise * high.noise - low.noise * low.noise) / (2 * h)
      let expected = 2 * f * noise * noise + process.squaredDiffusion(at: time)
      #expect(abs(rate - expected) < 1e-6 * abs(process.squaredDiffusion(at: time)) + 1e-10)
    }
  }

  @Test func zeroTerminalSNREndsWithoutSignalAndKeepsTheFirstStep() {
    let plain = DiscreteProcess(.stableDiffusion)
    let rescaled = DiscreteProcess(.stableDiffusion, zeroTerminalSNR: true)
    #expect(rescaled.levels[999].signal == 0)
    #expect(rescaled.betas[999] == 1)
    #expect(relative(rescaled.levels[0].signal, plain.levels[0].signal) < 1e-14)
    let last = plain.levels[999].signal
    let first = plain.levels[0].signal
    let expected = (plain.levels[500].signal - last) * first / (first - last)
    #expect(relative(rescaled.levels[500].signal, expected) < 1e-12)
  }

  /// diffusers' `np.interp` of sigmas, and back.
  @Test func ratiosCanBeLinearBetweenTimesteps() {
    var process = DiscreteProcess(.stableDiffusion)
    process.interpolation = .linear
    let (low, high) = (process.levels[420].ratio, process.levels[421].ratio)
    #expect(relative(process.level(at: 420.25).ratio, low + (high - low) / 4) < 1e-14)
    for time in [0.3, 420.25, 997.9] {
      #expect(abs(process.time(of: process.level(at: time)) - time) < 1e-9)
    }
  }

  @Test func networksAreToldRoundedTimesteps() {
    var process = DiscreteProcess(.stableDiffusion)
    #expect(process.timestep(at: 420.75) == 420.75)
    process.rounding = .nearest
    #expect(process.timestep(at: 420.75) == 421 && process.timestep(at: 420.5) == 420)
    process.rounding = .down
    #expect(process.timestep(at: 420.75) == 420)
    let numbers = Parameterization.epsilon.preconditioning(
      at: process.level(at: 420.75), of: process)
    #expect(numbers.time == 420)
    #expect(process.nearestTimestep(to: process.level(at: 420.75)) == 421)
    #expect(
      process.nearestTimestep(to: .clean) == 0 && process.nearestTimestep(to: .pureNoise) == 999)
  }

  @Test func theRescaledEndCanKeepALittleSignal() {
    let process = DiscreteProcess(
      .stableDiffusion, zeroTerminalSNR: true, terminalSquaredSignal: 0x1p-24)
    #expect(relative(process.squaredSignal(999), 0x1p-24) < 1e-6)
    #expect(abs(process.levels[999].ratio - 4096) < 0.01)
  }
}
