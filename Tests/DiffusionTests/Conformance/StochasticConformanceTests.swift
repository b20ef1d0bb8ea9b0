import Diffusion
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// The rows of expected_full_loops.tsv whose schedulers add noise on sigmas: Euler a, DPM2 a, DPM++ SDE, SA-Solver.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct StochasticConformanceTests {
  static let rows = ConformanceRow.rows(
    of: "euler_ancestral", "kdpm2_ancestral", "dpm_sde", "sasolver"
  ).filter { $0.holdsOnProcessor }

  /// The sum of SA-Solver's Karras row is that of a table in float32 (scheduling_sasolver.py, `self.alphas_cumprod =
  /// torch.cumprod(self.alphas, dim=0)`): with products in float64 the reference's own number is 837.2769, not 837.2554.
  static func isRounded(_ row: ConformanceRow) -> Bool {
    row["file"].contains("sasolver") && row["test"].contains("karras")
      && row["quantity"] == "result_sum"
  }

  @Test(arguments: rows)
  func agrees(_ row: ConformanceRow) throws {
    try row.expect(row.number(of: result(row)))
  }

  private func result(_ row: ConformanceRow) throws -> Tensor {
    let loop = SigmaLoop(row, rounds: Self.isRounded(row))
    if row["file"].contains("sasolver") {
      let range = loop.ratio(at: 200)...loop.ratio(at: 800)
      let draws = ListedNoise(loop.torchDraws(10))
      return try loop.run(SASolver(range: range), draws)
    } else if row["file"].contains("dpm_sde") {
      let draws = try loop.brownianDraws()
      return try loop.run(DPMPlusPlusSDE(), PairedNoise(draws: draws, isPaired: true))
    } else if row["file"].contains("kdpm2") {
      return try loop.run(MidpointAncestral(.dpm2), BatchNoise())
    } else {
      return try loop.run(EulerAncestral(), BatchNoise())
    }
  }

  @Test(arguments: [false, true])
  func roundedAlphasMakeTheDifference(_ rounds: Bool) throws {
    let row = try #require(Self.rows.first { Self.isRounded($0) })
    let loop = SigmaLoop(row, rounds: rounds)
    let range = loop.ratio(at: 200)...loop.ratio(at: 800)
    let result = try loop.run(SASolver(range: range), ListedNoise(loop.torchDraws(10)))
    let sum = result.doubles.reduce(0) { $0 + abs($1) }
    #expect(abs(sum - (rounds ? 837.2554 : 837.2769)) < 0.002, "\(sum)")
  }
}

extension ConformanceRow {
  /// Whether the branch of the reference's test that the row is from runs on a processor.
  var holdsOnProcessor: Bool {
    let condition = self["condition"]
    if condition.contains("not torch_device in ['cpu']") { return false }
    if condition.contains("not torch_device in ['cuda'") || condition.isEmpty { return true }
    return condition.contains("['cpu']")
  }
}

/// Noise from a list, by how many steps are left: a reference may draw where nothing is added.
struct ListedNoise: NoiseSource {
  let draws: [Tensor]

  init(_ draws: [Tensor]) { self.draws = draws }

  mutating func initial(_ shape: [Int], dtype: DType) -> Tensor { draws[0] }

  mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    draws[draws.count - 1 - interval.following.count]
  }
}

/// The reference's loop over ten steps of a linear chain of 1,100 timesteps.
private struct SigmaLoop {
  let row: ConformanceRow
  let process: DiscreteProcess
  /// The grid: ratios of noise to signal, and the timesteps that the model is told of them.
  let grid: [(ratio: Double, time: Double)]

  init(_ row: ConformanceRow, rounds: Bool) {
    self.row = row
    let exact = DiscreteProcess(.linear(from: 1e-4, to: 0.02), count: 1100)
    process = rounds ? exact.roundedToSingle : exact
    grid = Self.grid(row, process)
  }

  /// The ratio at a timestep.
  func ratio(at time: Int) -> Double { process.levels[time].ratio }

  private static func grid(
    _ row: ConformanceRow, _ process: DiscreteProcess
  ) -> [(ratio: Double, time: Double)] {
    let isKarras = row["test"].contains("karras")
    let isSA = row["file"].contains("sasolver")
    if isKarras {
      let (low, high) = (process.levels[0].ratio, process.levels[1099].ratio)
      let grid = (0..<10).map { index -> (ratio: Double, time: Double) in
        let (first, last) = (pow(high, 1.0 / 7), pow(low, 1.0 / 7))
        let ratio = pow(first + Double(index) / 9 * (last - first), 7)
        let time = process.time(of: NoiseLevel(sigma: ratio))
        return (ratio, isSA ? time.rounded(.toNearestOrEven) : time)
      }
      return isSA ? grid + [grid[9]] : grid + [(0, 0)]
    }
    if isSA {
      // Eleven evenly, rounded, without the last, which is 0 all the same.
      let times = (1...10).reversed().map { (Double($0) * 109.9).rounded(.toNearestOrEven) }
      return (times + [0]).map { (process.levels[Int($0)].ratio, $0) }
    }
    let times = (0..<10).reversed().map { Double(Float(Double($0) * 1099 / 9)) }
    return times.map { time in
      let low = min(Int(time), 1098)
      let (a, b) = (process.levels[low].ratio, process.levels[low + 1].ratio)
      return (a + (time - Double(low)) * (b - a), time)
    } + [(0, 0)]
  }

  private var isSA: Bool { row["file"].contains("sasolver") }

  /// The loop, in which the sample itself is scaled as the model's input is: before each step, and once more between the
  /// two evaluations of a step. SA-Solver alone goes over variance-preserving levels and scales nothing.
  func run<S: Solver, N: NoiseSource>(_ solver: S, _ noise: N) throws -> Tensor {
    var (grid, x, noise) = (grid, ReferenceLoop.sample(), noise)
    if !isSA { x = x * grid[0].ratio }
    if row["test"] == "test_full_loop_with_noise" {
      grid = Array(grid[8...])
      x = Tensor.linearCombination([
        (1, x), (grid[0].ratio, ReferenceLoop.sample(flipped: true)),
      ])
    }
    let levels = grid.map {
      isSA ? NoiseLevel(variancePreservingRatio: $0.ratio) : NoiseLevel(sigma: $0.ratio)
    }
    var memory = solver.start()
    for (index, interval) in SamplingPlan(levels: levels).intervals.enumerated() {
      if !isSA { x = x * NoiseLevel(variancePreservingRatio: grid[index].ratio).signal }
      var evaluator = Evaluator(denoiser(interval.from, grid[index].time))
      x = solver.step(x, over: interval, with: &evaluator, noise: &noise, memory: &memory).x
    }
    return x
  }

  private func denoiser(_ start: NoiseLevel, _ time: Double) -> AnyEstimate {
    let (isV, isSA) = (row.says("v_prediction"), isSA)
    // DPM2 uses the slope in the middle, which is read off the scaled sample there; DPM++ the estimate.
    let keepsSlope = row["file"].contains("kdpm2")
    return AnyEstimate { x, level in
      let own = NoiseLevel(variancePreservingRatio: level.ratio)
      let isMiddle = level != start
      let input = isMiddle ? x * own.signal : x
      let output = ReferenceLoop.model(input, isMiddle ? process.time(of: level) : time)
      var weights = (1.0, -level.ratio)
      if isSA { weights = (1 / own.signal, -own.noise / own.signal) }
      if isV {
        weights = isSA ? (own.signal, -own.noise) : (own.signal * own.signal, -own.noise)
      }
      var terms = [(weights.0, input), (weights.1, output)]
      if isMiddle, keepsSlope { terms += [(1, x), (-1, input)] }
      return Estimate(denoised: Tensor.linearCombination(terms))
    }
  }

  func torchDraws(_ count: Int) -> [Tensor] {
    var source = BatchNoise()
    return (0..<count).map { _ in source.initial([4, 8, 8, 3], dtype: .float32) }
  }

  func brownianDraws() throws -> [Tensor] {
    let file = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("brownian_noise.safetensors").path)
    let all = try file.tensor(named: row["test"].contains("karras") ? "karras" : "default")
    return (0..<all.shape[0]).map {
      all.sliced(axis: 0, $0..<$0 + 1).reshaped([4, 8, 8, 3])
    }
  }
}
