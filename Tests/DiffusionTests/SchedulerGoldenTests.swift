import Diffusion
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Whole trajectories of diffusers' DDPM and DDIM schedulers in float64, and improved-diffusion's bound, as
/// Tests/Golden/make_schedulers.py made them.
@Suite struct SchedulerGoldenTests {
  struct Case: Decodable, Sendable {
    let name: String
    let kind: String
    let steps: Int
    let eta: Double
    let clipped: Bool
    let scheduler: ProcessConfiguration
  }

  static let file = try? SafetensorsFile(
    path: Shared.golden.appendingPathComponent("schedulers.safetensors").path)
  static let cases: [Case] = {
    let text = file?.metadata["cases"] ?? "[]"
    return (try? JSONDecoder().decode([Case].self, from: Data(text.utf8))) ?? []
  }()

  @Test func thereAreCases() { #expect(Self.cases.count == 26) }

  /// The world's denoiser times 2.5, in the network's own terms, with an answer on the variance where one is learned.
  static func network(_ configuration: ProcessConfiguration) -> FunctionNetwork {
    let process = configuration.process
    return FunctionNetwork { x, time in
      let level = process.levels[Int(time)]
      let data =
        GaussianWorld.mixture.denoised(x, signal: level.signal, noise: level.noise) * 2.5
      let noise = Estimate(denoised: data).noise(in: x, at: level)
      let numbers = configuration.parameterization.target(at: level)
      let answer = Tensor.linearCombination([(numbers.data, data), (numbers.noise, noise)])
      switch configuration.variance {
      case .learnedRange: return Tensor.concatenated([answer, x.tanh()], axis: -1)
      case .learned: return Tensor.concatenated([answer, x.sigmoid() * 0.01], axis: -1)
      default: return answer
      }
    }
  }

  /// The legs that diffusers goes: its DDIM steps to `t - T / steps` and goes on from the next timestep in the list,
  /// wherever that is (linspace, and trailing where the number of steps does not divide T).
  static func plan(_ test: Case) -> SamplingPlan {
    if test.kind == "ddpm" {
      return SamplingPlan(
        timesteps: test.scheduler.timesteps(test.steps), of: test.scheduler.process)
    }
    let process = test.scheduler.process
    let stride = process.count / test.steps
    return SamplingPlan(
      intervals: test.scheduler.timesteps(test.steps).map { timestep in
        let end = test.scheduler.endsClean ? NoiseLevel.clean : process.levels[0]
        let to = timestep >= stride ? process.levels[timestep - stride] : end
        return Interval(from: process.levels[timestep], to: to)
      })
  }

  @Test(arguments: cases)
  func trajectoriesAreDiffusers(_ test: Case) throws {
    let file = try #require(Self.file)
    let timesteps = try file.tensor(named: test.name + "_timesteps").doubles.map { Int($0) }
    #expect(test.scheduler.timesteps(test.steps) == timesteps)
    let noise = try file.tensor(named: "noise")
    let injected = InjectedNoise(
      start: try file.tensor(named: "start"),
      steps: (0..<noise.shape[0]).map { noise.sliced(axis: 0, $0..<$0 + 1).reshaped([4, 3]) })
    let base = NetworkDenoiser(
      Self.network(test.scheduler), process: test.scheduler.process,
      parameterization: test.scheduler.parameterization)
    let plain = Conditioned(base, conditions: Array(repeating: NoCondition(), count: 4))
    if let threshold = test.scheduler.threshold {
      try run(
        test, Thresholded(plain, threshold, keepsDirection: !test.clipped), injected)
    } else {
      try run(test, plain, injected)
    }
  }

  private func run<D: Denoiser>(_ test: Case, _ denoiser: D, _ noise: InjectedNoise) throws {
    if test.kind == "ddpm" {
      try compare(test, Ancestral(variance: test.scheduler.variance), denoiser, noise)
    } else {
      try compare(test, DDIM(eta: test.eta), denoiser, noise)
    }
  }

  private func compare<S: Solver, D: Denoiser>(
    _ test: Case, _ solver: S, _ denoiser: D, _ noise: InjectedNoise
  ) throws {
    let expected = try #require(Self.file).tensor(named: test.name)
    var trajectory = Trajectory(
      shape: [4, 3], dtype: .float64, plan: Self.plan(test), solver: solver, denoiser: denoiser,
      noise: noise)
    while let step = try trajectory.next() {
      let row = expected.sliced(axis: 0, step.index..<step.index + 1).reshaped([4, 3])
      expectClose(step.x, row, tolerance: 1e-9, "\(test.name), step \(step.index)")
    }
  }

  @Test(arguments: [ReverseVariance.fixedSmall, .fixedLarge, .learnedRange])
  func boundIsImprovedDiffusions(_ variance: ReverseVariance) throws {
    let file = try #require(Self.file)
    let data = try file.tensor(named: "bound_data")
    let process = DiscreteProcess(.cosine(), count: data.shape[0])
    let batch = NoisyBatch(
      data, noise: try file.tensor(named: "bound_noise"), timesteps: Array(0..<process.count),
      of: process)
    let estimate = Estimate(
      denoised: try file.tensor(named: "bound_guess"),
      variance: try file.tensor(named: "bound_answer"))
    let bound = VariationalBound(process, variance: variance)
    expectClose(
      bound.terms(batch, estimate), try file.tensor(named: "bound_\(variance.rawValue)"),
      tolerance: 1e-9)
    expectClose(bound.prior(data), try file.tensor(named: "bound_prior"), tolerance: 1e-9)
  }
}
