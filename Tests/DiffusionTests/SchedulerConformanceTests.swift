import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of conformance/diffusers/expected_full_loops.tsv that DDPM and DDIM can do: each test's recipe in
/// huggingface/diffusers, run here.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct SchedulerConformanceTests {
  /// A row of the table, by its column names.
  struct Row: Sendable, CustomStringConvertible {
    let fields: [String: String]
    subscript(_ name: String) -> String { fields[name] ?? "" }
    var description: String { "\(self["file"]) \(self["test"]) \(self["quantity"])" }
    var isInverse: Bool { self["file"].contains("inverse") }
    var isDDPM: Bool { self["file"].contains("ddpm") }
  }

  static let rows: [Row] = {
    let path = Shared.folder.appendingPathComponent("conformance/diffusers/expected_full_loops.tsv")
    guard let text = try? String(contentsOf: path, encoding: .utf8) else { return [] }
    let lines = text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { line in
      Row(fields: Dictionary(zip(lines[0], line)) { first, _ in first })
    }.filter {
      let file = $0["file"]
      return (file.hasPrefix("test_scheduler_ddpm") || file.hasPrefix("test_scheduler_ddim"))
        && !$0.isInverse
    }
  }()

  @Test func thereAreRows() { #expect(Self.rows.count == 56, "\(Self.rows.count) rows") }

  @Test(arguments: rows)
  func agrees(_ row: Row) throws {
    if row["test"] == "test_steps_offset" {
      #expect(TimestepSpacing.leading.timesteps(5, of: 1000, offset: 1) == [801, 601, 401, 201, 1])
      return
    }
    let expected = try #require(Double(row["expected"]))
    let tolerance = try #require(Double(row["tolerance"]))
    let value = try value(of: row)
    #expect(abs(value - expected) <= max(tolerance, 1e-5 * abs(expected)), "got \(value)")
  }

  private func value(of row: Row) throws -> Double {
    if row["test"] == "test_variance" { return variance(row) }
    let result = try sample(row, rounding: isRounded(row)).doubles.map(abs)
    let sum = result.reduce(0, +)
    return row["quantity"] == "result_mean" ? sum / Double(result.count) : sum
  }

  /// `_get_variance(t)` (DDPM: to the timestep before) or `_get_variance(t, s)`; t = s = 0 is nothing's variance.
  private func variance(_ row: Row) -> Double {
    let process = DiscreteProcess(.ddpm)
    let numbers = row["quantity"].split { !$0.isNumber }.compactMap { Int($0) }
    let to = numbers.count > 1 ? process.levels[numbers[1]] : process.levelBefore(numbers[0])
    return Posterior(at: to, from: process.levels[numbers[0]]).variance
  }

  private func sample(_ row: Row, rounding: Bool) throws -> Tensor {
    var configuration = ProcessConfiguration()
    let overrides = row["function_overrides"]
    if overrides.contains("v_prediction") { configuration.parameterization = .velocity }
    if overrides.contains("beta_start=0.01") { configuration.firstBeta = 0.01 }
    if overrides.contains("set_alpha_to_one=False") { configuration.endsClean = false }
    if row["test"] == "test_batch_step_no_noise" { return try batchStep(row, configuration) }
    let process = rounding ? rounded(configuration.process) : configuration.process
    var timesteps = row.isDDPM ? Array((0..<1000).reversed()) : configuration.timesteps(10)
    var start = Self.dummy()
    if row["test"] == "test_full_loop_with_noise" {
      timesteps = Array(timesteps[(row.isDDPM ? 998 : 8)...])
      let level = process.levels[timesteps[0]]
      start = Tensor.linearCombination([(level.signal, start), (level.noise, Self.dummy(true))])
    }
    return try run(row, configuration, process, start, timesteps, rounding: rounding)
  }

  /// Two rows, over the last two timesteps alone, show float32 in the reference: scheduling_ddpm.py's
  /// `current_beta_t = 1 - current_alpha_t` cancels, so that the two weights of the mean add up to 0.99995 at timestep 1.
  /// With coefficients rounded alike the number is the reference's; exactly it is 387.967 (as the reference's own with
  /// alphas in float64).
  private func isRounded(_ row: Row) -> Bool {
    row.isDDPM && row["test"] == "test_full_loop_with_noise"
  }

  @Test(arguments: [false, true])
  func roundedAlphasMakeTheDifference(_ rounds: Bool) throws {
    let row = try #require(Self.rows.first { isRounded($0) && $0["quantity"] == "result_sum" })
    let sum = try sample(row, rounding: rounds).doubles.reduce(0) { $0 + abs($1) }
    #expect(abs(sum - (rounds ? 387.9466 : 387.9669)) < 0.002)
  }

  /// The chain with every product of alphas rounded to float32.
  private func rounded(_ process: DiscreteProcess) -> DiscreteProcess {
    var (product, last) = (Float(1), 1.0)
    return DiscreteProcess(
      betas: process.betas.map { beta in
        product *= 1 - Float(beta)
        defer { last = Double(product) }
        return 1 - Double(product) / last
      })
  }

  private func run(
    _ row: Row, _ configuration: ProcessConfiguration, _ process: DiscreteProcess,
    _ start: Tensor, _ timesteps: [Int], rounding: Bool
  ) throws -> Tensor {
    let model = process.denoiser(configuration.parameterization, batch: start.shape[0]) { x, time in
      x * (time / (time + 1))
    }
    let plan = SamplingPlan(
      timesteps: timesteps, of: process,
      end: configuration.endsClean ? .clean : process.levels[0])
    let denoiser = Thresholded(model, .clamped())
    let noise = BatchNoise(generator: TorchGenerator(seed: 0))
    if isRounded(row), rounding {
      var trajectory = Trajectory(
        from: start, plan: plan, solver: RoundedAncestral(), denoiser: denoiser, noise: noise)
      return try trajectory.last()
    }
    if row.isDDPM {
      var trajectory = Trajectory(
        from: start, plan: plan, solver: Ancestral(), denoiser: denoiser, noise: noise)
      return try trajectory.last()
    }
    var trajectory = Trajectory(
      from: start, plan: plan, solver: DDIM(), denoiser: denoiser, noise: noise)
    return try trajectory.last()
  }

  /// One step without noise of three batches at timesteps 0, 1 and 2. DDIM's go 100 timesteps back, to clean data.
  private func batchStep(_ row: Row, _ configuration: ProcessConfiguration) throws -> Tensor {
    let process = configuration.process
    let parts = try [0, 1, 2].map { timestep -> Tensor in
      let start = Self.dummy() + [0, 0.1, -0.1][timestep]
      let model = process.denoiser(.epsilon, batch: 4) { x, time in x * (time / (time + 1)) }
      let to = row.isDDPM ? process.levelBefore(timestep) : .clean
      var trajectory = Trajectory(
        from: start, plan: SamplingPlan(levels: [process.levels[timestep], to]),
        solver: Ancestral(), denoiser: Thresholded(model, .clamped()), noise: NoNoise())
      return try trajectory.last()
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// arange(768) / 768 as (3, 8, 8, 4) permuted to (4, 3, 8, 8), here channels last; `flipped` counts down.
  static func dummy(_ flipped: Bool = false) -> Tensor {
    let numbers = (0..<768).map { Float(flipped ? 767 - $0 : $0) / 768 }
    return Tensor(numbers, shape: [3, 8, 8, 4]).permuted([3, 1, 2, 0])
  }
}

/// The ancestral step with its coefficients in float32, in the reference's order of operations.
private struct RoundedAncestral: Solver {
  var order: Int { 1 }

  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let denoised = try denoiser(x, at: interval.from).denoised
    func squaredSignal(_ level: NoiseLevel) -> Float { Float(level.signal * level.signal) }
    let (now, next) = (squaredSignal(interval.from), squaredSignal(interval.to))
    let beta = 1 - now / next
    let dataWeight = next.squareRoot() * beta / (1 - now)
    let sampleWeight = (now / next).squareRoot() * (1 - next) / (1 - now)
    let variance = (1 - next) / (1 - now) * beta
    var terms = [(Double(dataWeight), denoised), (Double(sampleWeight), x)]
    if interval.to.noise > 0 {
      terms.append((Double(variance.squareRoot()), noise.noise(like: x, over: interval)))
    }
    return (Tensor.linearCombination(terms), denoised)
  }
}

/// One torch generator for a whole batch, as diffusers draws when it is given one.
private struct BatchNoise: NoiseSource {
  var generator: TorchGenerator

  mutating func initial(_ shape: [Int], dtype: DType) -> Tensor { draw(shape, dtype) }

  mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    self.draw(shape, dtype)
  }

  private mutating func draw(_ shape: [Int], _ dtype: DType) -> Tensor {
    Tensor.randomNormal([shape[0], shape[3], shape[1], shape[2]], dtype: dtype, using: &generator)
      .permuted([0, 2, 3, 1])
  }
}
