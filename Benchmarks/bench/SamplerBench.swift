import ArgumentParser
import Diffusion
import TensorCore

/// `bench sampler`: what a solver's step costs beside the denoiser.
struct SamplerBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sampler",
    abstract: "Times a step of a solver on a denoiser that costs nothing.",
    discussion: """
      The rate of memory counts what a step has to move at least: for DPM++ 2M the sample, two estimates and the result, \
      and once more the estimate and the result to see that they are finite.

      Example: bench sampler --sampler dpm++2m --shape 1x64x64x4
      """)

  @Option(help: ArgumentHelp("A solver, once or more.", valueName: "name"))
  var sampler: [String] = ["euler", "dpm++2m", "unipc", "lms"]

  @Flag(help: "Every solver there is.")
  var all = false

  @Option(help: ArgumentHelp("The sample.", valueName: "batch x height x width x channels"))
  var shape: String = "1x64x64x4"

  @OptionGroup var trace: TraceOptions
  @OptionGroup var options: BenchOptions

  func validate() throws {
    if Shape.parsed(shape, count: 4) == nil {
      throw ValidationError("--shape takes four lengths as in 1x64x64x4, not \(shape).")
    }
    for name in sampler where SolverCatalog.entry(named: name) == nil {
      throw ValidationError("no sampler is called \(name); `diffusion samplers` lists them.")
    }
  }

  /// Answers with what it was given at the start.
  private struct Constant: Denoiser {
    let denoised: Tensor
    func estimate(_ x: Tensor, at level: NoiseLevel, memory: inout NoMemory) -> Estimate {
      Estimate(denoised: denoised)
    }
  }

  func run() throws {
    guard let lengths = Shape.parsed(shape, count: 4) else { return }
    let x = Shape.filled(lengths)
    try options.run { report in
      for name in all ? SolverCatalog.all.map(\.name) : sampler {
        guard let entry = SolverCatalog.entry(named: name) else { continue }
        try time(entry.make(SolverOptions()).solver, entry.name, x, &report)
      }
    }
  }

  private func time<S: Solver>(
    _ solver: S, _ name: String, _ x: Tensor, _ report: inout Report
  ) throws {
    let steps = 200
    let levels = (0...steps).map { NoiseLevel(variancePreservingRatio: 10 - 0.045 * Double($0)) }
    let plan = SamplingPlan(levels: levels)
    func fresh() -> Trajectory<S, Constant, NoNoise> {
      Trajectory(
        from: x, plan: plan, solver: solver, denoiser: Constant(denoised: x), noise: NoNoise())
    }
    var trajectory = fresh()
    var failure: (any Error)?
    func step() {
      do {
        if try trajectory.next() == nil { trajectory = fresh() }
      } catch {
        failure = error
      }
    }
    let records = trace.records(of: step)
    let result = Measurement.of(
      "step of \(name) over \(shape)", repeat: max(options.repeat, 100), operations: nil,
      bytes: 6 * Double(x.byteCount), on: report.machine, step)
    if let failure { throw failure }
    report.add(result)
    try trace.show(records, title: result.name, in: report)
  }
}
