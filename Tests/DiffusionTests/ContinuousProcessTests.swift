import Diffusion
import Foundation
import TestSupport
import Testing

/// The processes of score SDE, EDM and rectified flow against printed numbers.
@Suite struct ContinuousProcessTests {
  struct Row: Sendable {
    let time: Double
    let mean: Double
    let deviation: Double
    let ratio: Double
    let subDeviation: Double
  }

  /// facts.md 3.2: ten digits of score_sde_pytorch's marginals.
  static let rows = [
    Row(
      time: 0.001, mean: 0.9999450265, deviation: 0.01048541634, ratio: 0.01048599279,
      subDeviation: 0.0001099439557),
    Row(
      time: 0.5, mean: 0.2811828808, deviation: 0.9596542021, ratio: 3.412918309,
      subDeviation: 0.9209361875),
    Row(
      time: 1, mean: 0.006571586495, deviation: 0.9999784069, ratio: 152.1669703,
      subDeviation: 0.9999568143),
  ]

  @Test(arguments: rows)
  func marginalsAreThePrinted(_ row: Row) {
    let plain = VariancePreserving().level(at: row.time)
    let sub = SubVariancePreserving().level(at: row.time)
    #expect(relative(plain.signal, row.mean) < 1e-9)
    #expect(relative(plain.noise, row.deviation) < 1e-9)
    #expect(relative(plain.ratio, row.ratio) < 1e-9)
    #expect(sub.signal == plain.signal)
    #expect(relative(sub.noise, row.subDeviation) < 1e-9)
    #expect(sub.noise < plain.noise)
  }

  @Test func varianceExplodesGeometrically() {
    let process = VarianceExploding()
    #expect(relative(process.level(at: 0).noise, 0.01) < 1e-15)
    #expect(relative(process.level(at: 0.5).noise, 0.70710678118654752) < 1e-14)
    #expect(relative(process.level(at: 1).noise, 50) < 1e-14)
    #expect(process.timestep(at: 0.5) == process.level(at: 0.5).noise)
  }

  /// The chain of 1000 steps with betas of beta(t) / 1000 has the SDE's marginals to first order in 1 / 1000.
  @Test func theChainIsTheSDEInSmallSteps() {
    let (chain, process) = (DiscreteProcess(.ddpm), VariancePreserving())
    for timestep in [99, 499, 899] {
      let (discrete, continuous) = (
        chain.logSNR(at: Double(timestep)), process.logSNR(at: Double(timestep + 1) / 1000)
      )
      #expect(abs(discrete - continuous) < 0.2)
    }
    #expect(process.timestep(at: 1) == 999)
  }

  @Test func flowIsShiftedAsDiffusersDoes() {
    let flow = RectifiedFlow(shift: 3)
    for time in [0.0, 0.2, 0.75, 1] {
      #expect(abs(flow.level(at: time).noise - 3 * time / (1 + 2 * time)) < 1e-15)
      #expect(abs(flow.level(at: time).signal + flow.level(at: time).noise - 1) < 1e-15)
      #expect(abs(flow.timestep(at: time) - 3000 * time / (1 + 2 * time)) < 1e-12)
    }
    #expect(flow.level(at: 1) == .pureNoise && flow.level(at: 0) == .clean)
  }

  /// mu of diffusers' `calculate_shift`, and `exp(mu) / (exp(mu) + 1 / t - 1)` of its `time_shift`.
  @Test func theShiftFollowsTheResolution() {
    var rule = RectifiedFlow.ResolutionShift()
    #expect(relative(rule(tokens: 256), exp(0.5)) < 1e-14)
    #expect(relative(rule(tokens: 4096), exp(1.15)) < 1e-14)
    #expect(relative(rule(tokens: 1024), exp(0.63)) < 1e-14)
    let noise = RectifiedFlow(shift: rule(tokens: 1024)).level(at: 0.3).noise
    #expect(relative(noise, exp(0.63) / (exp(0.63) + 1 / 0.3 - 1)) < 1e-14)
    rule.isExponential = false
    #expect(relative(rule(tokens: 1024), 0.63) < 1e-14)
  }
}
