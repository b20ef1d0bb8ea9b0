import Diffusion
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Every step of k-diffusion's samplers that add noise, with its noise injected, as
/// Tests/Golden/make_stochastic_trajectories.py made them.
@Suite struct StochasticTrajectoryTests {
  struct Case: Decodable, Sendable {
    let key: String
    let solver: String
    let grid: String
    let eta: Double
  }

  static let file = try? SafetensorsFile(
    path: Shared.golden.appendingPathComponent("stochastic_trajectories.safetensors").path)
  static let cases: [Case] = {
    let text = file?.metadata["cases"] ?? "[]"
    return (try? JSONDecoder().decode([Case].self, from: Data(text.utf8))) ?? []
  }()

  @Test func thereAreCases() { #expect(Self.cases.count == 56) }

  /// The reference runs on sigmas; the same trajectory, scaled, belongs to any process.
  @Test(arguments: cases, ["exploding", "preserving"])
  func trajectoriesAreKDiffusions(_ test: Case, _ process: String) throws {
    let file = try #require(Self.file)
    let sigmas = try file.tensor(named: "sigmas_" + test.grid).doubles
    let levels = sigmas.map {
      process == "exploding" ? NoiseLevel(sigma: $0) : NoiseLevel(variancePreservingRatio: $0)
    }
    let start = try file.tensor(named: "start")
    let draws = try file.tensor(named: "noise")
    let noise = PairedNoise(
      draws: (0..<draws.shape[0]).map { draws.sliced(axis: 0, $0..<$0 + 1).reshaped(start.shape) },
      isPaired: test.solver == "dpm++sde")
    let entry = try #require(SolverCatalog.entry(named: test.solver))
    let sampler = entry.make(SolverOptions(eta: test.eta))
    try compare(
      sampler.solver, test, start * (sigmas[0] * levels[0].signal), SamplingPlan(levels: levels),
      noise)
  }

  private func compare<S: Solver>(
    _ solver: S, _ test: Case, _ start: Tensor, _ plan: SamplingPlan, _ noise: PairedNoise
  ) throws {
    let expected = try #require(Self.file).tensor(named: test.key)
    var trajectory = Trajectory(
      from: start, plan: plan, solver: solver, denoiser: ExactDenoiser(world: .mixture),
      noise: noise)
    while let step = try trajectory.next() {
      let row = expected.sliced(axis: 0, step.index..<step.index + 1).reshaped(start.shape)
      expectClose(
        step.x, row * step.interval.to.signal, tolerance: 1e-9, "\(test.key), \(step.index)")
    }
    #expect(trajectory.isDone)
  }
}

/// The reference's draws in order. Where it draws for half a step and then for the whole, the second half is worked out
/// from the two, as a solver that puts the whole together from its halves asks for.
struct PairedNoise: NoiseSource {
  let draws: [Tensor]
  let isPaired: Bool
  var drawn = 0
  var first: Interval?

  mutating func initial(_ shape: [Int], dtype: DType) -> Tensor { draws[0] }

  mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    defer { drawn += 1 }
    guard isPaired else { return draws[drawn] }
    guard let half = first else {
      first = interval
      return draws[drawn]
    }
    first = nil
    let shares = DPMPlusPlusSDE.shares(of: half, in: Interval(from: half.from, to: interval.to))
    return Tensor.linearCombination([
      (1 / shares.second, draws[drawn]), (-shares.first / shares.second, draws[drawn - 1]),
    ])
  }
}
