import Diffusion
import DiffusionImages
import SolverOrder

/// Error against evaluations on the mixture, over Karras' grid to clean data.
enum OrderPlot {
  static let names = [
    "euler", "heun", "dpm2", "dpm-solver-3", "lms", "plms", "deis", "dpm++2m", "dpm++3m", "unipc",
    "dpm-fast",
  ]

  static func plot() throws -> LinePlot {
    let series = try names.compactMap { name -> LinePlot.Series? in
      guard let entry = SolverCatalog.entry(named: name) else { return nil }
      let measurement = OrderMeasurement(.mixture, .varianceExploding, .karrasToClean)
      let points = try [6, 9, 14, 20, 32, 50, 80, 128].map { steps in
        let run = try measurement.run(
          entry.make(SolverOptions()), steps: steps, startsExactly: false)
        return LinePlot.Point(x: Double(run.evaluations), y: run.error)
      }
      return LinePlot.Series(name: name, points: points)
    }
    return LinePlot(
      title: "Error of the probability-flow ODE's solvers on a mixture of two Gaussians",
      xLabel: "evaluations of the denoiser", yLabel: "greatest error of an element",
      series: series, xScale: .logarithmic, yScale: .logarithmic, showsPoints: true, height: 600)
  }
}
