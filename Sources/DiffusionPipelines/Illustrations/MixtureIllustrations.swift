import Diffusion
import DiffusionImages
import Foundation
import TensorCore

/// Illustrations drawn with a mixture of three Gaussians in the plane, whose score is known exactly.
public struct MixtureIllustrations: Sendable {
  /// The seed of everything that is drawn.
  public let seed: UInt64

  /// Illustrations of a seed.
  public init(seed: UInt64 = 0) { self.seed = seed }

  /// The data.
  static let mixture = MixtureDenoiser([
    .init(weight: 0.4, mean: [-1.2, -0.7], variance: [0.03, 0.06]),
    .init(weight: 0.35, mean: [1.1, -0.5], variance: [0.06, 0.02]),
    .init(weight: 0.25, mean: [0.1, 1.3], variance: [0.02, 0.02]),
  ])
  private static let process = DiscreteProcess(.ddpm)

  /// Points of the data under more and more noise: the marginals near N(0, I), whose mean and covariance are noted.
  public func forward() -> Illustration {
    var notes: [String] = []
    let plots = [nil, 50, 150, 300, 500, 999].map { (timestep: Int?) -> LinePlot in
      let level = timestep.map { Self.process.levels[$0] } ?? .clean
      let name = timestep.map { "t = \($0)" } ?? "data"
      var generator = CounterGenerator(seed: seed)
      let points = Self.mixture.sample(500, at: level, using: &generator)
      notes.append("\(name): \(Self.describe(Self.mixture.moments(at: level)))")
      return Self.map(
        name,
        [
          LinePlot.Series(name: "", points: Self.points(points), style: .dots())
        ])
    }
    return Illustration(drawing: .plot(LinePlot.sheet(of: plots, columns: 3)), notes: notes)
  }

  /// Paths of the ancestral chain from noise to data.
  public func reverse() -> Illustration {
    let plan = SamplingPlan(
      timesteps: TimestepSpacing.trailing.timesteps(200, of: Self.process.count), of: Self.process)
    let paths = paths(Ancestral(), plan, count: 8)
    return Illustration(
      drawing: .plot(Self.map("The reverse process, 200 ancestral steps", paths, size: 560).svg()),
      notes: ["8 paths from N(0, I); dots are where they end"])
  }

  /// The score at four levels, and paths of the probability-flow ODE beside those of the SDE from the same noise.
  public func score() -> Illustration {
    let fields = [20, 100, 300, 999].map { timestep in
      Self.map(
        "Score at t = \(timestep)", [Self.field(at: Self.process.levels[timestep])])
    }
    let plan = SamplingPlan(
      timesteps: TimestepSpacing.trailing.timesteps(100, of: Self.process.count), of: Self.process)
    let ode = Self.map("Paths of the ODE (DDIM)", paths(DDIM(), plan, count: 24))
    let sde = Self.map("Paths of the SDE (DDPM)", paths(Ancestral(), plan, count: 4))
    return Illustration(
      drawing: .plot(LinePlot.sheet(of: fields + [ode, sde], columns: 3)),
      notes: [
        "arrows point along grad log p(x); their length is that of noise times the score, so that "
          + "levels compare",
        "both kinds of path start from the same noise: the ODE's bend smoothly, the SDE's wander",
      ])
  }

  /// The error at the end of the probability-flow ODE against evaluations of the denoiser, over a Karras-like grid.
  public func order() -> Illustration {
    let start = startingPoints(64)
    let levels = Self.grid
    // Of order 3 over 4,000 steps: its own error is below what is drawn.
    let exact = last(ExponentialSinglestep(.noise, order: 3), levels(4_000), start).x.doubles
    var notes: [String] = []
    let names = ["euler", "heun", "dpm2", "lms", "dpm++2m", "dpm-solver-3", "unipc"]
    let series = names.compactMap { name -> LinePlot.Series? in
      guard let entry = SolverCatalog.entry(named: name) else { return nil }
      let solver = entry.make(SolverOptions()).solver
      let points = [6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256].map { steps in
        let (x, evaluations) = last(solver, levels(steps), start)
        let square = zip(x.doubles, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return LinePlot.Point(
          x: Double(evaluations), y: (square / Double(exact.count)).squareRoot())
      }
      let text = points.map { "\(Int($0.x)): \(String(format: "%.1e", $0.y))" }
      notes.append("\(entry.name), evaluations: error  " + text.joined(separator: ", "))
      return LinePlot.Series(name: entry.name, points: points)
    }
    let plot = LinePlot(
      title: "Error against evaluations", xLabel: "evaluations of the denoiser",
      yLabel: "rms error at the end", series: series, xScale: .logarithmic, yScale: .logarithmic,
      showsPoints: true, height: 560)
    return Illustration(drawing: .plot(plot.svg()), notes: notes)
  }
}

// MARK: - Parts

extension MixtureIllustrations {
  /// The corners of what maps show.
  private static let frame = [
    LinePlot.Point(x: -3, y: -3), LinePlot.Point(x: 3, y: 3),
  ]

  private static func map(
    _ title: String, _ series: [LinePlot.Series], size: Int = 360
  ) -> LinePlot {
    // A map shows the whole frame, so that maps compare.
    let corners = LinePlot.Series(name: "", points: frame, style: .dots(radius: 0))
    var plot = LinePlot(
      title: title, xLabel: "", yLabel: "", series: series + [corners], width: size, height: size)
    plot.hasEqualUnits = true
    return plot
  }

  private static func points(_ x: Tensor) -> [LinePlot.Point] {
    let values = x.doubles
    return stride(from: 0, to: values.count, by: 2).map {
      LinePlot.Point(x: values[$0], y: values[$0 + 1])
    }
  }

  private static func describe(_ moments: (mean: [Double], covariance: [[Double]])) -> String {
    func list(_ values: [Double]) -> String {
      "[" + values.map { String(format: "%.3f", $0) }.joined(separator: ", ") + "]"
    }
    return "mean \(list(moments.mean)), covariance "
      + "[\(moments.covariance.map(list).joined(separator: ", "))]"
  }

  private static func field(at level: NoiseLevel) -> LinePlot.Series {
    let axis = stride(from: -2.7, through: 2.7, by: 0.3).map { $0 }
    let places = axis.flatMap { y in axis.flatMap { x in [x, y] } }
    let x = Tensor(places, shape: [places.count / 2, 2])
    let score = mixture.estimate(x, at: level).score(of: x, at: level)
    let tips = (x + score * (level.noise * 0.1)).clamped(-3, 3)
    let arrows = zip(points(x), points(tips)).flatMap { [$0, $1] }
    return LinePlot.Series(name: "", points: arrows, style: .arrows)
  }

  private func startingPoints(_ count: Int) -> Tensor {
    var source = IntervalNoise(seeds: (0..<UInt64(count)).map { seed &+ $0 })
    return source.initial([count, 2], dtype: .float64)
  }

  /// One line a path, and a dot where it ends.
  private func paths(
    _ solver: some Solver, _ plan: SamplingPlan, count: Int
  ) -> [LinePlot.Series] {
    let start = startingPoints(count)
    var trajectory = Trajectory(
      from: start, plan: plan, solver: solver, denoiser: Self.mixture,
      noise: IntervalNoise(seeds: (0..<UInt64(count)).map { seed &+ $0 }))
    var steps = [Self.points(start)]
    // The exact denoiser of a mixture is finite everywhere: the trajectory cannot fail.
    while let step = try? trajectory.next() { steps.append(Self.points(step.x)) }
    let lines = (0..<count).flatMap { path in
      steps.map { $0[path] } + [LinePlot.Point(x: .nan, y: .nan)]
    }
    return [
      LinePlot.Series(name: "", points: lines),
      LinePlot.Series(name: "", points: steps[steps.count - 1], style: .dots(radius: 3)),
    ]
  }

  /// Levels evenly spaced in the seventh root of the ratio of noise to signal, from 20 to 0.05.
  private static func grid(_ steps: Int) -> SamplingPlan {
    let (first, last) = (pow(20, 1.0 / 7), pow(0.05, 1.0 / 7))
    return SamplingPlan(
      levels: (0...steps).map {
        let root = first + Double($0) / Double(steps) * (last - first)
        return NoiseLevel(variancePreservingRatio: pow(root, 7))
      })
  }

  private func last(
    _ solver: some Solver, _ plan: SamplingPlan, _ start: Tensor
  ) -> (x: Tensor, evaluations: Int) {
    var trajectory = Trajectory(
      from: start, plan: plan, solver: solver, denoiser: Self.mixture, noise: NoNoise())
    let end = try? trajectory.last()
    return (end ?? start, trajectory.snapshot.evaluations)
  }
}
