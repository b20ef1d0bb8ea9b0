import Diffusion
import Synchronization
import TensorCore
import TestSupport
import Testing

/// A network whose answer depends on a class, and that counts its calls.
private final class ClassNetwork: Network {
  let batches = Mutex<[Int]>([])

  func predict(_ x: Tensor, times: [Double], conditions: [Int?]) -> Tensor {
    batches.withLock { $0.append(x.shape[0]) }
    let shifts = conditions.map { Double($0 ?? -3) }
    let ones = Tensor.ones(x.shape, dtype: x.dtype)
    let shifted = Tensor.linearCombination(perSample: [
      (shifts.map { _ in 0.5 }, x), (shifts, ones),
    ])
    return Tensor.concatenated([shifted, shifted * 0.1], axis: -1)
  }
}

@Suite struct GuidanceTests {
  static let process = DiscreteProcess(.ddpm)

  @Test(arguments: Parameterization.allCases)
  func goesFromTheUnconditionalThroughTheConditionalEstimate(_ kind: Parameterization) throws {
    let network = ClassNetwork()
    let base = NetworkDenoiser(network, process: Self.process, parameterization: kind)
    let x = Sample.uniform([2, 4], seed: 1)
    let level = Self.process.levels[400]
    let guided = ClassifierFreeGuidance(
      base, towards: [1, 2], awayFrom: [nil, nil], scale: 3
    ).estimate(x, at: level)
    #expect(network.batches.withLock { $0 } == [4], "both halves run in one batch")
    let with = base.estimate(x, at: level, given: [1, 2])
    let without = base.estimate(x, at: level, given: [nil, nil])
    expectClose(
      guided.denoised, without.denoised + (with.denoised - without.denoised) * 3, tolerance: 1e-13)
    // The same in epsilon.
    let (e, u) = (with.noise(in: x, at: level), without.noise(in: x, at: level))
    expectClose(guided.noise(in: x, at: level), u + (e - u) * 3, tolerance: 1e-12)
    #expect(try #require(guided.variance).doubles == with.variance?.doubles)
  }

  @Test func scaleOneRunsTheConditionalHalfAlone() {
    let network = ClassNetwork()
    let base = NetworkDenoiser(network, process: Self.process, parameterization: .epsilon)
    let x = Sample.uniform([2, 4], seed: 1)
    let level = Self.process.levels[400]
    let guided = ClassifierFreeGuidance(
      base, towards: [1, 2], awayFrom: [nil, nil], scale: 1
    ).estimate(x, at: level)
    #expect(network.batches.withLock { $0 } == [2])
    let plain = Conditioned(base, conditions: [1, 2]).estimate(x, at: level)
    #expect(guided.denoised.doubles == plain.denoised.doubles)
  }
}
