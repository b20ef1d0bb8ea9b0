import Diffusion
import Foundation
import SolverOrder
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Every step of k-diffusion's samplers and diffusers' schedulers in float64, on Stable Diffusion's schedule, as
/// Tests/Golden/make_trajectories.py made them.
@Suite struct TrajectoryGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let kind: String
    let family: String
    var testDescription: String { name }
  }

  static let file = try? SafetensorsFile(
    path: Shared.golden.appendingPathComponent("trajectories.safetensors").path)
  static let cases: [Case] = {
    let text = file?.metadata["cases"] ?? "[]"
    return (try? JSONDecoder().decode([Case].self, from: Data(text.utf8))) ?? []
  }()

  @Test func thereAreCases() { #expect(Self.cases.count == 87) }

  /// The solver that a reference's name stands for, with the reference's lowering of orders.
  static func solver(_ kind: String) -> (any Solver)? {
    switch kind {
    case "ddim": DDIM()
    case "k_euler": Euler()
    case "k_heun": SecondOrderRungeKutta()
    case "k_lms": AdamsBashforth()
    case "k_dpm_2": ExponentialSinglestep(.noise)
    case "k_dpmpp_2m": ExponentialMultistep(.data)
    case "dpmpp_2m": ExponentialMultistep(.data, finalOrder: .loweredBelow15)
    case "dpm_multi": ExponentialMultistep(.noise, finalOrder: .loweredBelow15)
    case "deis": ExponentialMultistep(.noise, rule: .exact, finalOrder: .loweredBelow15)
    case "deis3":
      ExponentialMultistep(.noise, order: 3, rule: .exact, finalOrder: .loweredBelow15)
    case "dpm_single": SinglestepGroups(.data)
    case "dpm_single3": SinglestepGroups(.data, order: 3)
    case "unipc": UniPC(finalOrder: .lowered)
    case "unipc3": UniPC(predictorOrder: 3, finalOrder: .lowered)
    case "unipc_bh1": UniPC(rule: .plain, finalOrder: .lowered)
    case "plms": PseudoMultistep()
    case "pndm": PseudoMultistep(beginning: .rungeKutta)
    default: nil
    }
  }

  /// diffusers' DPMSolverMultistepScheduler rounds the sample to float32 at each step (`sample.to(torch.float32)`); the
  /// others compute in float64, and fifty steps add up its rounding.
  @Test(arguments: cases)
  func everyStepIsTheReferences(_ test: Case) throws {
    let file = try #require(Self.file)
    let ratios = try file.tensor(named: test.name + "_ratios").doubles
    let levels = ratios.map {
      test.family == "ve" ? NoiseLevel(sigma: $0) : NoiseLevel(variancePreservingRatio: $0)
    }
    let start = try file.tensor(named: "start")
    let scale = test.family == "ve" ? ratios[0] : 1
    let expected = try file.tensor(named: test.name)
    let solver = try #require(Self.solver(test.kind))
    try compare(
      solver, from: start * scale, SamplingPlan(levels: levels), expected, test.name)
  }

  private func compare<S: Solver>(
    _ solver: S, from start: Tensor, _ plan: SamplingPlan, _ expected: Tensor, _ name: String
  ) throws {
    var trajectory = Trajectory(
      from: start, plan: plan, solver: solver, denoiser: OrderWorld.mixture.denoiser,
      noise: NoNoise())
    #expect(plan.count == expected.shape[0])
    let isRounded = name.hasPrefix("dpmpp_2m") || name.hasPrefix("dpm_multi")
    let tolerance = isRounded ? 1e-5 : 1e-9
    while let step = try trajectory.next() {
      let row = expected.sliced(axis: 0, step.index..<step.index + 1).reshaped([4, 3])
      expectClose(step.x, row, tolerance: tolerance, "\(name), step \(step.index)")
    }
  }
}
