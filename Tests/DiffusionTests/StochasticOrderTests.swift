import Diffusion
import Foundation
import SolverOrder
import TensorCore
import TestSupport
import Testing

/// Every solver of the catalogue that adds noise: its weak order, exactly, and its strong order along shared paths.
@Suite struct StochasticOrderTests {
  /// Those that near the reverse SDE as steps get shorter.
  static let measured = SolverCatalog.all.filter { $0.weakOrder != nil }

  @Test func theExemptAreThese() {
    #expect(
      Set(StochasticOrders.exempt) == [
        "lcm", "tcd", "consistency", "predictor-corrector", "ancestral-corrector",
        "annealed-corrector", "annealed-langevin", "restart",
      ])
  }

  /// On variance-preserving, variance-exploding and flow levels, between 80 and 160 steps.
  @Test(arguments: measured.map(\.name), 0..<3)
  func weakOrderIsTheCatalogues(_ name: String, _ family: Int) throws {
    let entry = try #require(SolverCatalog.entry(named: name))
    let stated = try #require(entry.weakOrder)
    let result = StochasticConvergence.weak(
      entry.make(SolverOptions()).solver, steps: [80, 160],
      on: StochasticSolverTests.families[family].1)
    #expect(abs(result.order - Double(stated)) < 0.15, "\(name): weak order \(result.order)")
  }

  /// What `diffusion samplers` lists is what is measured.
  @Test(arguments: measured.map(\.name))
  func listedOrderIsTheMeasuredOne(_ name: String) throws {
    let entry = try #require(SolverCatalog.entry(named: name))
    let solver = entry.make(SolverOptions()).solver
    let result = StochasticConvergence.weak(solver, steps: StochasticOrders.usualSteps)
    let listed = try #require(entry.measuredOrder)
    #expect(abs(result.order - listed) < 0.006, "\(entry.name): \(result.order)")
  }

  /// Without noise they solve the probability-flow ODE.
  @Test(arguments: measured.filter { $0.options.contains(.eta) }.map(\.name))
  func orderWithoutNoiseIsTheCatalogues(_ name: String) throws {
    let entry = try #require(SolverCatalog.entry(named: name))
    let stated = try #require(entry.order)
    let sampler = entry.make(SolverOptions(eta: 0))
    for family in ProcessFamily.allCases {
      let order = try OrderMeasurement(.mixture, family, .smooth)
        .order(of: sampler, startsExactly: true)
      #expect(abs(order - Double(stated)) < 0.15, "\(name) on \(family.rawValue): \(order)")
    }
  }

  static let paths = 1600
  static let truth = StochasticOrders.truth(paths: paths)

  @Test(arguments: measured.map(\.name))
  func strongOrderIsOne(_ name: String) throws {
    let entry = try #require(SolverCatalog.entry(named: name))
    let result = StochasticConvergence.strong(
      entry.make(SolverOptions()).solver, steps: [80, 160], paths: Self.paths,
      of: StochasticOrders.mixture,
      truth: Self.truth)
    #expect(
      abs(result.order - 1) < max(0.15, 3 * result.orderDeviation),
      "\(name): strong order \(result.order) with error \(result.orderDeviation)")
    #expect(result.orderDeviation < 0.1)
  }

  /// Paths that are not shared have nothing to converge to.
  @Test func withoutASharedPathThereIsNoStrongOrder() {
    let result = StochasticConvergence.strong(
      DPMPlusPlusMultistepSDE(), steps: [80, 160], paths: Self.paths,
      of: StochasticOrders.mixture, seed: 6,
      truth: Self.truth)
    #expect(abs(result.order) < 0.2)
  }
}
