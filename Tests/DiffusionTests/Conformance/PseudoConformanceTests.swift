import Diffusion
import Foundation
import Synchronization
import TensorCore
import TestSupport
import Testing

/// What is left of the rows of PNDM and iPNDM: timesteps, and those that differ.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct PseudoConformanceTests {
  static let rows = ConformanceRow.rows(of: "pndm", "ipndm")

  /// The timesteps that the network is asked at, in their order.
  @Test func asksAtTheTimestepsOfTheReference() throws {
    let row = try #require(Self.rows.first { $0["quantity"] == "timesteps-equal" })
    let text = try #require(row["expected"].split(separator: "[").last)
    let expected = text.split { !$0.isNumber }.compactMap { Int($0) }
    let process = DiscreteProcess(.ddpm)
    let steps = TimestepSpacing.leading.timesteps(10, of: 1000, offset: 1)
    let middles = steps.prefix(3).map { $0 - 50 }
    let times = (steps + middles).sorted(by: >)
    let solver = PseudoMultistep(beginning: .rungeKutta)
    let levels = times.map { process.levels[$0] } + [process.levels[0]]
    let known = Dictionary(zip(levels, times)) { first, _ in first }
    let asked = Mutex<[NoiseLevel]>([])
    let denoiser = AnyEstimate { x, level in
      asked.withLock { $0.append(level) }
      return Estimate(denoised: x)
    }
    var trajectory = Trajectory(
      from: Tensor([0.5], shape: [1, 1]), plan: SamplingPlan(levels: levels), solver: solver,
      denoiser: denoiser, noise: NoNoise())
    _ = try trajectory.last()
    #expect(asked.withLock { $0 }.map { known[$0] } == expected)
  }

  /// Two rows differ: scheduling_pndm.py, `_get_prev_sample` (line 436) reads a mean of v of several steps with the sample
  /// and the level at hand, where v of an earlier step belongs to the sample of that step.
  @Test(arguments: rows.filter { $0.says("v_prediction") })
  func meansOfVelocitiesMakeTheDifference(_ row: ConformanceRow) throws {
    try row.expect(MeanOfVelocities().run(from: ReferenceLoop.sample()))
  }

  /// One row differs: scheduling_ipndm.py, `_get_prev_sample` (line 273) divides by `max(alpha, 1e-8)` where alpha is 0, and
  /// the test goes over the grid twice with the slopes of the first time at hand. The solver is the one here, told that the
  /// first level has a signal of 1e-8 and that what the network says of it is for a signal of 0.
  @Test(arguments: rows.filter { $0["file"].contains("ipndm") })
  func smallSignalMakesTheDifference(_ row: ConformanceRow) throws {
    let solver = PseudoMultistep(slopes: 4, beginning: .lowerOrder)
    let sines = (1...10).reversed().map { pow(sin(Double($0) / 10 * .pi / 2), 2) }
    let cosines = sines.map { (1 - $0 * $0).squareRoot() }
    let levels = zip(cosines, sines).map { NoiseLevel(signal: max($0, 1e-8), noise: $1) }
    let exact = Dictionary(zip(levels, cosines)) { first, _ in first }
    let denoiser = AnyEstimate { x, level in
      let (a, s, cosine) = (level.signal, level.noise, exact[level] ?? level.signal)
      let output = ReferenceLoop.model(x, atan2(s, cosine) / .pi * 2)
      // x = a D + s e, with e = cosine v + s x
      return Estimate(
        denoised: Tensor.linearCombination([
          (cosine * cosine / a, x), (-s * cosine / a, output),
        ]))
    }
    var (x, memory, noise) = (ReferenceLoop.sample(), solver.start(), NoNoise())
    let plan = SamplingPlan(levels: levels + [.clean])
    for interval in plan.intervals + plan.intervals {
      var evaluator = Evaluator(denoiser)
      x = solver.step(x, over: interval, with: &evaluator, noise: &noise, memory: &memory).x
    }
    try row.expect(x)
  }
}

/// PNDM over v as the reference has it: means of v, read with the sample and the level of the step.
private struct MeanOfVelocities {
  let process = DiscreteProcess(.ddpm)

  private func model(_ x: Tensor, _ time: Int) -> Tensor { ReferenceLoop.model(x, Double(time)) }

  private func moved(_ x: Tensor, _ from: Int, _ to: Int, _ terms: [(Double, Tensor)]) -> Tensor {
    let (here, there) = (process.levels[from], process.levels[max(to, 0)])
    let scale = there.signal / here.signal
    let step = there.noise - scale * here.noise
    return Tensor.linearCombination(
      [(scale + step * here.noise, x)] + terms.map { (step * here.signal * $0.0, $0.1) })
  }

  func run(from start: Tensor) -> Tensor {
    var (x, past) = (start, [Tensor]())
    for time in [900, 800, 700] {
      let first = model(x, time)
      let second = model(moved(x, time, time - 50, [(1, first)]), time - 50)
      let third = model(moved(x, time, time - 50, [(1, second)]), time - 50)
      let fourth = model(moved(x, time, time - 100, [(1, third)]), time - 100)
      past.insert(first, at: 0)
      x = moved(
        x, time, time - 100,
        [(1.0 / 6, first), (1.0 / 3, second), (1.0 / 3, third), (1.0 / 6, fourth)])
    }
    for time in (0...6).reversed().map({ $0 * 100 }) {
      past = [model(x, time)] + past.prefix(3)
      let weights = [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24]
      x = moved(x, time, time - 100, Array(zip(weights, past)))
    }
    return x
  }
}
