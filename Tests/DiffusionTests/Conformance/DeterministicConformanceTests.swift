import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of conformance/diffusers/expected_full_loops.tsv whose schedulers are solvers of the probability-flow ODE.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct DeterministicConformanceTests {
  /// Those that hold on a CPU.
  static let rows = ConformanceRow.rows(
    of: "euler", "heun", "lms", "kdpm2_discrete", "pndm", "deis", "dpm_multi",
    "dpm_multi_inverse", "dpm_single", "unipc", "edm_euler", "edm_dpmsolver_multistep"
  ).filter { !$0["condition"].hasPrefix("not") && $0["quantity"] != "timesteps-equal" }

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    let run = try ReferenceRun(row)
    try row.meets {
      row.number(of: try run.result())
    } imitated: {
      row.number(of: try run.result(losesWeights: true))
    }
  }
}

/// A test of diffusers, as far as it matters to the numbers.
private struct ReferenceRun {
  let row: ConformanceRow
  /// `euler`, `unipc`, ...
  let kind: String
  let process: DiscreteProcess
  let isVelocity: Bool

  init(_ row: ConformanceRow) throws {
    self.row = row
    kind = row["file"].replacingOccurrences(of: "test_scheduler_", with: "")
      .replacingOccurrences(of: ".py", with: "")
    let count = ["euler", "heun", "lms", "kdpm2_discrete"].contains(kind) ? 1100 : 1000
    let first = row["function_overrides"].contains("beta_start=0.01") ? 0.01 : 0.0001
    let exact = DiscreteProcess(.linear(from: first, to: 0.02), count: count)
    // scheduling_dpmsolver_multistep_inverse.py keeps `alphas_cumprod` in float32, and what is thresholded at the first level
    // is divided by that level's noise.
    let isRounded = kind == "dpm_multi_inverse" && row["test"].contains("thres")
    process = isRounded ? exact.roundedToSingle : exact
    isVelocity = row["function_overrides"].contains("v_prediction")
  }

  /// Ten steps, but for one test.
  var steps: Int { row["test"] == "test_full_uneven_loop" ? 50 : 10 }
  var isKarras: Bool { row["test"].contains("karras") }
  /// How many steps the test leaves out.
  var first: Int {
    if row["test"] == "test_full_uneven_loop" { return 3 }
    guard row["test"] == "test_full_loop_with_noise" else { return 0 }
    return kind.hasPrefix("dpm_") || kind.hasPrefix("edm_") ? 5 : 8
  }

  /// - Parameter losesWeights: LMS begun late as the reference weighs it: `order = min(self.step_index + 1, order)` takes the
  ///   order from the place in the schedule, so that the weights of slopes that there are not are lost. Slopes of zero do the
  ///   same.
  func result(losesWeights: Bool = false) throws -> Tensor {
    switch kind {
    case "euler": try run(ScalingFirst(base: Euler()), exploding())
    case "heun": try run(ScalingFirst(base: SecondOrderRungeKutta()), exploding())
    case "lms":
      try run(ScalingFirst(base: AdamsBashforth()), exploding(), losesWeights: losesWeights)
    case "kdpm2_discrete":
      try run(ScalingFirst(base: ExponentialSinglestep(.noise)), exploding())
    case "edm_euler": try run(Euler(), elucidated())
    case "edm_dpmsolver_multistep": try run(ExponentialMultistep(.data), elucidated())
    case "pndm":
      try run(
        PseudoMultistep(beginning: .rungeKutta, averaged: isVelocity ? .velocity : .noise),
        pseudo())
    case "deis":
      try run(
        ExponentialMultistep(.noise, rule: .exact, finalOrder: .loweredBelow15), preserving())
    case "dpm_multi", "dpm_multi_inverse": try run(ExponentialMultistep(.data), preserving())
    case "unipc": try run(UniPC(finalOrder: .lowered), preserving())
    default: try run(SinglestepGroups(.data, lowersFinalOrder: false), preserving())
    }
  }

  /// Where a run goes: its levels, what the network is told at each, and how its output is read.
  struct Course {
    let levels: [NoiseLevel]
    let denoiser: AnyEstimate
    var start: Tensor
  }

  private func run<S: Solver>(
    _ solver: S, _ course: Course, losesWeights: Bool = false
  ) throws -> Tensor {
    var levels = Array(course.levels[first...])
    var x = course.start
    if row["test"] == "test_full_loop_with_noise" {
      let noise = sample(flipped: true)
      x = Tensor.linearCombination([(levels[0].signal, x), (levels[0].noise, noise)])
    }
    let threshold: Threshold? =
      row["test"].contains("thres") ? .dynamic(quantile: 0.87, largest: 0.5) : nil
    let denoiser = Thresholded(course.denoiser, threshold, keepsDirection: false)
    var past: [PastStep] = []
    if losesWeights {
      past = course.levels[..<first].map { PastStep(level: $0, x: x * 0, denoised: x * 0) }
    }
    func go(_ levels: [NoiseLevel]) throws {
      var trajectory = Trajectory(
        from: x, plan: SamplingPlan(levels: levels), solver: solver, denoiser: denoiser,
        noise: NoNoise(), after: past)
      x = try trajectory.last()
    }
    if kind == "dpm_single", first % 2 == 1 {
      // The reference's groups are counted from the schedule's start: the first leg here is the end of one.
      try go(Array(levels[...1]))
      levels.removeFirst()
    }
    try go(levels)
    return x
  }

  private func sample(flipped: Bool = false) -> Tensor {
    let x = ReferenceLoop.sample(flipped: flipped)
    // The one-dimensional class: arange(96) / 96.
    guard kind == "unipc", row["base_config"].isEmpty else { return x }
    let numbers = (0..<96).map { Float(flipped ? 95 - $0 : $0) / 96 }
    return Tensor(numbers, shape: [3, 8, 4]).permuted([2, 1, 0])
  }

  // MARK: - Courses

  /// `linspace(0, T - 1, n)` with sigma linear between timesteps, or Karras' grid; signal 1.
  private func exploding() -> Course {
    let last = Double(process.count - 1)
    let sigmas = process.levels.map(\.ratio)
    var times = (0..<10).reversed().map { Double($0) * last / 9 }
    var ratios = times.map { time -> Double in
      let low = min(Int(time), process.count - 2)
      return sigmas[low] + (time - Double(low)) * (sigmas[low + 1] - sigmas[low])
    }
    if isKarras {
      ratios = karras()
      times = ratios.map { process.time(of: NoiseLevel(sigma: $0)) }
    }
    let known = Dictionary(zip(ratios, times)) { first, _ in first }
    let denoiser = AnyEstimate { [process, isVelocity] x, level in
      // The slope is (scaled - estimate of the scaled) / sigma: see ScalingFirst, which marks what is scaled already.
      let (sigma, isScaled) = (level.noise, level.signal > 1)
      let time = known[sigma] ?? process.time(of: NoiseLevel(sigma: sigma))
      let norm = (sigma * sigma + 1).squareRoot()
      let scaled = isScaled ? x : x * (1 / norm)
      let output = ReferenceLoop.model(scaled, time)
      let terms: [(Double, Tensor)] =
        isVelocity
        ? [(1 / (norm * norm) - 1, scaled), (-sigma / norm, output), (1, x)]
        : [(-sigma, output), (1, x)]
      return Estimate(denoised: Tensor.linearCombination(terms))
    }
    let start = sample() * ratios[0]
    return Course(
      levels: (ratios + [0]).map(NoiseLevel.init(sigma:)), denoiser: denoiser, start: start)
  }

  private func karras() -> [Double] {
    let (first, last) = (process.levels[process.count - 1].ratio, process.levels[0].ratio)
    let (high, low) = (pow(first, 1.0 / 7), pow(last, 1.0 / 7))
    return (0..<10).map { pow(high + Double($0) / 9 * (low - high), 7) }
  }

  /// The multistep schedulers': whole timesteps of one step more without the last, on the chain's own levels; from data to
  /// noise for the inverse.
  private func preserving() -> Course {
    let stride = Double(process.count - 1) / Double(steps)
    let rises = kind == "dpm_multi_inverse"
    let places = rises ? Array(0..<steps) : (1...steps).reversed()
    var times = places.map { (Double($0) * stride).rounded(.toNearestOrEven) }
    var ratios = times.map { process.levels[Int($0)].ratio }
    if isKarras { ratios = rises ? karras().reversed() : karras() }
    if row["test"].contains("_lu_") {
      let (first, last) = (process.levels[process.count - 1].ratio, process.levels[0].ratio)
      ratios = (0..<10).map { first * pow(last / first, Double($0) / 9) }
    }
    if isKarras || row["test"].contains("_lu_") {
      times = ratios.map {
        process.time(of: NoiseLevel(sigma: $0)).rounded(.toNearestOrEven)
      }
    }
    var levels = ratios.map(NoiseLevel.init(variancePreservingRatio:))
    // Karras' grid ends there already: the last step goes nowhere.
    let end = process.levels[rises ? process.count - 1 : 0]
    let endsTwice = abs(end.ratio / ratios[ratios.count - 1] - 1) < 1e-9
    levels.append(endsTwice ? levels[levels.count - 1] : end)
    let known = Dictionary(zip(levels, times)) { first, _ in first }
    let denoiser = AnyEstimate { [process, isVelocity] x, level in
      let time = known[level] ?? process.time(of: level).rounded()
      let output = ReferenceLoop.model(x, time)
      let (a, s) = (level.signal, level.noise)
      let terms: [(Double, Tensor)] =
        isVelocity ? [(a, x), (-s, output)] : [(1 / a, x), (-s / a, output)]
      return Estimate(denoised: Tensor.linearCombination(terms))
    }
    return Course(levels: levels, denoiser: denoiser, start: sample())
  }

  /// Karras' grid from 80 to 0.002, with EDM's preconditioning.
  private func elucidated() -> Course {
    let (high, low) = (pow(80, 1.0 / 7), pow(0.002, 1.0 / 7))
    var sigmas = (0..<10).map { pow(high + Double($0) / 9 * (low - high), 7) }
    if kind == "edm_euler" { sigmas.append(0) }
    // The multistep scheduler's tests show the network the sample as it is, and start from one that is not scaled.
    let isScaled = kind == "edm_euler"
    let denoiser = AnyEstimate { [isVelocity] x, level in
      let (sigma, data) = (level.noise, 0.5)
      let norm = (sigma * sigma + data * data).squareRoot()
      let output = ReferenceLoop.model(x * (isScaled ? 1 / norm : 1), 0.25 * log(sigma))
      let weight = sigma * data / norm * (isVelocity ? -1 : 1)
      return Estimate(
        denoised: Tensor.linearCombination([(data * data / (norm * norm), x), (weight, output)]))
    }
    let start = sample() * (isScaled ? (80.0 * 80 + 1).squareRoot() : 1)
    return Course(levels: sigmas.map(NoiseLevel.init(sigma:)), denoiser: denoiser, start: start)
  }

  /// Every hundredth timestep, with those between the first four; the end is timestep 0's level or clean data.
  private func pseudo() -> Course {
    let times = [900, 850, 800, 750, 700, 650, 600, 500, 400, 300, 200, 100, 0]
    let endsClean = row["function_overrides"].contains("set_alpha_to_one=True")
    let levels = times.map { process.levels[$0] }
    let known = Dictionary(zip(levels, times)) { first, _ in first }
    let denoiser = AnyEstimate { [isVelocity] x, level in
      let output = ReferenceLoop.model(x, Double(known[level] ?? 0))
      let (a, s) = (level.signal, level.noise)
      let terms: [(Double, Tensor)] =
        isVelocity ? [(a, x), (-s, output)] : [(1 / a, x), (-s / a, output)]
      return Estimate(denoised: Tensor.linearCombination(terms))
    }
    return Course(
      levels: levels + [endsClean ? .clean : process.levels[0]], denoiser: denoiser,
      start: sample())
  }
}

/// The tests of k-diffusion's schedulers write `sample = scheduler.scale_model_input(sample, t)`: what is scaled for the
/// network is what the step goes on from.
private struct ScalingFirst<Base: Solver>: Solver {
  let base: Base
  var order: Int { base.order }
  func start() -> Base.Memory { base.start() }
  func start(after past: [PastStep]) -> Base.Memory { base.start(after: past) }

  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Base.Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let sigma = interval.from.noise
    let scaled = x * (1 / (sigma * sigma + 1).squareRoot())
    var marked = Evaluator(FirstIsScaled(base: denoiser.denoiser, level: interval.from))
    return try base.step(scaled, over: interval, with: &marked, noise: &noise, memory: &memory)
  }
}

/// Tells the denoiser of a step's first level by a signal of 2 that the sample is scaled already.
private struct FirstIsScaled<Base: Denoiser>: Denoiser {
  let base: Base
  let level: NoiseLevel
  func start() -> Base.Memory { base.start() }

  func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Base.Memory
  ) throws(Base.Failure) -> Estimate {
    let asked = level == self.level ? NoiseLevel(signal: 2, noise: level.noise) : level
    return try base.estimate(x, at: asked, memory: &memory)
  }
}
