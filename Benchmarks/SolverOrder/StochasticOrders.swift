import Diffusion

/// The orders of a solver that adds noise, as they were measured.
public struct StochasticOrders: Sendable, Codable {
  /// The catalogue's name.
  public let name: String
  /// The weak order that the catalogue states.
  public let weakOrder: Int
  /// Of mean and variance on one Gaussian, exactly.
  public let weak: StochasticConvergence.Result
  /// Along shared Brownian paths, on a mixture of two.
  public let strong: StochasticConvergence.Result

  /// Steps between which orders are measured.
  public static let usualSteps = [40, 80, 160]

  /// Those that have none, by name: distilled models follow no equation, correctors' steps are set by a ratio of norms
  /// and not by the grid, and Restart is a plan of Heun's steps.
  public static var exempt: [String] {
    SolverCatalog.all.filter { $0.isStochastic && $0.weakOrder == nil }.map(\.name)
  }

  /// The mixture of the strong order.
  public static let mixture = MixtureDenoiser([
    .init(weight: 0.6, mean: [0.6, -0.5, 0.2], variance: [0.09, 0.16, 0.25]),
    .init(weight: 0.4, mean: [-0.7, 0.4, 0], variance: [0.2, 0.1, 0.16]),
  ])

  /// Where the paths of ``StochasticConvergence/strong(_:steps:paths:of:seed:truth:on:)`` end: 2,560 steps, whose own
  /// error is a sixteenth of the smallest that is measured.
  public static func truth(paths: Int) -> [Double] {
    StochasticConvergence.ends(
      of: DPMPlusPlusMultistepSDE(), steps: 2560, paths: paths, of: mixture)
  }

  /// The orders of every solver of the catalogue that nears the reverse SDE.
  public static func all(steps: [Int] = usualSteps, paths: Int = 1600) -> [StochasticOrders] {
    let truth = truth(paths: paths)
    return SolverCatalog.all.compactMap { entry in
      guard let order = entry.weakOrder else { return nil }
      let solver = entry.make(SolverOptions()).solver
      return StochasticOrders(
        name: entry.name, weakOrder: order,
        weak: StochasticConvergence.weak(solver, steps: steps),
        strong: StochasticConvergence.strong(
          solver, steps: steps, paths: paths, of: mixture, truth: truth))
    }
  }
}
