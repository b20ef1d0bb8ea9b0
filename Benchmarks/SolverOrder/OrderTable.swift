import Diffusion
import Foundation

/// A solver of the catalogue as it was measured.
public struct OrderRow: Sendable, Codable {
  /// The catalogue's name, with the order asked for where the solver has several.
  public let name: String
  /// The catalogue's entry.
  public let entry: String
  /// The order that the paper gives.
  public let order: Int
  /// The order measured on each world and process, `mixture/vp`: over a smooth grid that ends above zero, with exact slopes
  /// from before it.
  public var measured: [String: Double] = [:]
  /// The one of ``measured`` furthest from what is expected.
  public var measuredOrder: Double? {
    measured.max { abs($0.value - expected($0.key)) < abs($1.value - expected($1.key)) }?.value
      ?? weak?.value
  }

  /// The order at a place of ``measured``.
  ///
  /// It is ``order``, but for the midpoint method on one Gaussian. There `y^2 = v + r^2` up to a shift and a scale, so that
  /// `y''' = -3 v r / y^5` and `f_y y'' = v r / y^5`, and the method's leading error
  /// `h^3 (y''' / 24 + f_y y'' / 8)` is zero.
  public func expected(_ place: String) -> Double {
    Double(entry == "midpoint" && place.hasPrefix("gaussian") ? order + 1 : order)
  }
  /// The order as the solver starts by default, on the mixture, over Karras' grid down to clean data.
  public var defaultOrder: Double?
  /// Runs as by default at 10, 20 and 50 steps.
  public var runs: [OrderMeasurement.Run] = []
  /// Runs of an adaptive solver at one tolerance after another.
  public var tolerances: [ToleranceRun] = []
  /// The orders of a stochastic solver, with error bars.
  public var weak, strong: Uncertain?

  /// What an adaptive solver made of a tolerance.
  public struct ToleranceRun: Sendable, Codable {
    /// The relative and absolute tolerance.
    public let tolerance: Double
    /// What was made of it; `steps` are kept and rejected ones together.
    public let run: OrderMeasurement.Run
  }

  /// A number and the standard error of it.
  public struct Uncertain: Sendable, Codable {
    /// The number.
    public let value: Double
    /// Its standard error.
    public let error: Double

    /// A number with its error.
    public init(_ value: Double, error: Double) {
      self.value = value
      self.error = error
    }
  }

  /// A row to be filled.
  public init(name: String, entry: String, order: Int) {
    self.name = name
    self.entry = entry
    self.order = order
  }
}

extension OrderRow {
  /// The row of a solver that adds noise; its order is the weak one.
  public init(_ orders: StochasticOrders) {
    self.init(name: orders.name, entry: orders.name, order: orders.weakOrder)
    weak = Uncertain(orders.weak.order, error: orders.weak.orderDeviation)
    strong = Uncertain(orders.strong.order, error: orders.strong.orderDeviation)
  }
}

/// The measured rows of the catalogue's solvers.
public enum OrderTable {
  /// Whether an entry is measured here: it follows the probability-flow ODE and states an order.
  public static func covers(_ entry: SolverEntry) -> Bool {
    !entry.isStochastic && entry.order != nil
  }

  /// The rows of an entry, one for each order that can be asked for.
  public static func rows(of entry: SolverEntry) throws -> [OrderRow] {
    guard covers(entry) else { return [] }
    guard entry.options.contains(.order) else { return [try row(of: entry, order: nil)] }
    return try entry.orders.map { try row(of: entry, order: $0) }
  }

  private static func row(of entry: SolverEntry, order: Int?) throws -> OrderRow {
    let sampler = entry.make(SolverOptions(order: order))
    let name = order.map { "\(entry.name), order \($0)" } ?? entry.name
    var row = OrderRow(name: name, entry: entry.name, order: sampler.solver.order)
    if entry.evaluations == .adaptive {
      row.tolerances = try toleranceRuns(of: entry, order: order)
    } else {
      try measure(sampler, of: entry, &row)
    }
    let usual = OrderMeasurement(.mixture, .varianceExploding, usualGrid(entry))
    row.runs = try [10, 20, 50].map {
      try usual.run(sampler, steps: $0, startsExactly: false)
    }
    return row
  }

  private static func measure(
    _ sampler: Sampler, of entry: SolverEntry, _ row: inout OrderRow
  ) throws {
    for world in [OrderWorld.gaussian, .mixture] {
      for family in ProcessFamily.allCases {
        let measurement = OrderMeasurement(world, family, exactGrid(entry))
        row.measured["\(world.name)/\(family.rawValue)"] = try measurement.order(
          of: sampler, startsExactly: true)
      }
    }
    row.defaultOrder = try OrderMeasurement(.mixture, .varianceExploding, usualGrid(entry))
      .order(of: sampler, steps: 20, startsExactly: false)
  }

  /// iPNDM has its order over even ratios alone.
  private static func exactGrid(_ entry: SolverEntry) -> OrderMeasurement.Grid {
    entry.name == "ipndm" ? .evenRatios : .smooth
  }

  /// An inversion starts where noise can be read off: it is shown on the way back over the smooth grid.
  private static func usualGrid(_ entry: SolverEntry) -> OrderMeasurement.Grid {
    entry.name == "ddim-inverse" ? .smooth : .karrasToClean
  }

  private static func toleranceRuns(
    of entry: SolverEntry, order: Int?
  ) throws -> [OrderRow.ToleranceRun] {
    try [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7].map { tolerance in
      var options = SolverOptions(order: order)
      (options.relativeTolerance, options.absoluteTolerance) = (tolerance, tolerance)
      let run = try OrderMeasurement(.mixture, .variancePreserving, .smooth)
        .run(entry.make(options), steps: 1, startsExactly: false)
      return OrderRow.ToleranceRun(tolerance: tolerance, run: run)
    }
  }
}
