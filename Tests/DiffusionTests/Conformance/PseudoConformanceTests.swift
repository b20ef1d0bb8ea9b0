import Diffusion
import Foundation
import Synchronization
import TensorCore
import TestSupport
import Testing

/// What is left of the rows of PNDM and iPNDM: the timesteps of the one, and the other.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct PseudoConformanceTests {
  static let rows = ConformanceRow.rows(of: "pndm", "ipndm").filter {
    $0["file"].contains("ipndm") || $0["quantity"] == "timesteps-equal"
  }

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

  /// The solver as the reference tells it: the first level has a signal of 1e-8, and what the network says of it is for a
  /// signal of 0.
  @Test(arguments: rows.filter { $0["file"].contains("ipndm") })
  func agrees(_ row: ConformanceRow) throws {
    try row.meets {
      row.number(of: run(leastSignal: 0))
    } imitated: {
      row.number(of: run(leastSignal: 1e-8))
    }
  }

  /// The test goes over the grid twice, with the slopes of the first time at hand.
  private func run(leastSignal: Double) -> Tensor {
    let solver = PseudoMultistep(slopes: 4, beginning: .lowerOrder)
    let sines = (1...10).reversed().map { pow(sin(Double($0) / 10 * .pi / 2), 2) }
    let cosines = sines.map { (1 - $0 * $0).squareRoot() }
    let levels = zip(cosines, sines).map { NoiseLevel(signal: max($0, leastSignal), noise: $1) }
    let exact = Dictionary(zip(levels, cosines)) { first, _ in first }
    let denoiser = AnyEstimate { x, level in
      let (a, s, cosine) = (level.signal, level.noise, exact[level] ?? level.signal)
      let output = ReferenceLoop.model(x, atan2(s, cosine) / .pi * 2)
      // x = a D + s e, with e = cosine v + s x
      return Estimate(
        denoised: Tensor.linearCombination([
          (a == 0 ? 0 : cosine * cosine / a, x), (a == 0 ? -s : -s * cosine / a, output),
        ]))
    }
    var (x, memory, noise) = (ReferenceLoop.sample(), solver.start(), NoNoise())
    let plan = SamplingPlan(levels: levels + [.clean])
    for interval in plan.intervals + plan.intervals {
      var evaluator = Evaluator(denoiser)
      x = solver.step(x, over: interval, with: &evaluator, noise: &noise, memory: &memory).x
    }
    return x
  }
}
