import Diffusion
import Foundation
import SolverOrder
import TensorCore
import TestSupport
import Testing

/// The orders of the deterministic solvers of the catalogue, measured.
@Suite struct SolverOrderTests {
  static let entries = SolverCatalog.all.filter(OrderTable.covers)

  @Test func namesAndAliasesAreUnique() {
    var seen: [String: String] = [:]
    for entry in SolverCatalog.all {
      for name in [entry.name] + entry.aliases {
        let key = name.lowercased().filter { !" -_".contains($0) }
        #expect(seen[key] == nil || seen[key] == entry.name, "\(name) of \(entry.name)")
        seen[key] = entry.name
      }
    }
  }

  @Test(arguments: entries.map(\.name))
  func ordersAreThePapers(_ name: String) throws {
    let entry = try #require(SolverCatalog.entry(named: name))
    let rows = try OrderTable.rows(of: entry)
    #expect(!rows.isEmpty)
    for row in rows {
      #expect(row.runs.count == 3)
      if entry.evaluations == .adaptive {
        // A hundred times less asked for is at least ten times less got.
        let errors = row.tolerances.map(\.run.error)
        for (loose, tight) in zip(errors, errors.dropFirst(2)) { #expect(tight < loose / 10) }
      } else {
        #expect(row.measured.count == 6)
      }
      if row.order == entry.order, let order = row.measured[SolverCatalog.measuredPlace] {
        #expect(abs(order - (entry.measuredOrder ?? .nan)) < 0.006, "\(name) is listed otherwise")
      }
      for (place, order) in row.measured {
        #expect(abs(order - row.expected(place)) < 0.15, "\(row.name) on \(place): \(order)")
      }
    }
  }

  /// Without options an entry has the order that the catalogue states.
  @Test func theCatalogueStatesTheDefaultsOrder() {
    for entry in Self.entries {
      #expect(entry.make(SolverOptions()).solver.order == entry.order, "\(entry.name)")
    }
  }

  /// One Gaussian's path is known: `y = m + (y0 - m) sqrt((v + r^2) / (v + r0^2))`.
  @Test func theExactPathIsExact() {
    let world = OrderWorld.gaussian
    let part = world.denoiser.components[0]
    let (y, first, last) = (world.start.y, world.start.ratio, 0.05)
    let expected = y.doubles.enumerated().map { index, value in
      let (m, v) = (part.mean[index % 3], part.variance[index % 3])
      return m + (value - m) * ((v + last * last) / (v + first * first)).squareRoot()
    }
    expectClose(
      world.flow(y, from: first, to: last), Tensor(expected, shape: [4, 3]), tolerance: 1e-12)
  }

  /// The mixture's has no closed form: half the steps give the same to 1e-12.
  @Test func theMixturesPathIsKnownTo1em12() {
    let world = OrderWorld.mixture
    let fine = world.flow(world.start.y, from: 8, to: 0.05, steps: 8000)
    expectClose(
      world.flow(world.start.y, from: 8, to: 0.05, steps: 4000), fine, tolerance: 1e-12)
  }
}
