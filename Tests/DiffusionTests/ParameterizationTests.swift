import Diffusion
import TensorCore
import TestSupport
import Testing

@Suite struct ParameterizationTests {
  static let process = DiscreteProcess(.ddpm)

  /// A network that answers its target makes a denoiser that gives the data back.
  @Test(arguments: Parameterization.allCases, [0, 100, 700, 990])
  func aPerfectAnswerGivesTheData(_ parameterization: Parameterization, _ timestep: Int) {
    let (data, noise) = (Sample.uniform([2, 5], seed: 1), Sample.uniform([2, 5], seed: 2))
    let level = Self.process.levels[timestep]
    let x = Tensor.linearCombination([(level.signal, data), (level.noise, noise)])
    let numbers = parameterization.target(at: level)
    let answer = Tensor.linearCombination([(numbers.data, data), (numbers.noise, noise)])
    let denoiser = Self.process.denoiser(parameterization, batch: 2) { _, time in
      #expect(time == Double(timestep))
      return answer
    }
    let estimate = denoiser.estimate(x, at: level)
    expectClose(estimate.denoised, data, tolerance: 1e-11)
    expectClose(estimate.noise(in: x, at: level), noise, tolerance: 1e-9)
    let velocity = Tensor.linearCombination([(level.signal, noise), (-level.noise, data)])
    expectClose(estimate.velocity(of: x, at: level), velocity, tolerance: 1e-9)
  }

  @Test func scoreIsTheGradientOfTheLogDensity() {
    let world = GaussianWorld.mixture
    let level = NoiseLevel(signal: 0.8, noise: 0.4)
    let x = Sample.uniform([2, 3], seed: 3)
    let estimate = ExactDenoiser(world: world).estimate(x, at: level)
    let score = estimate.score(of: x, at: level).doubles
    for element in 0..<6 {
      func density(_ shift: Double) -> Double {
        var values = x.doubles
        values[element] += shift
        let moved = Tensor(values, shape: [2, 3])
        return world.logDensity(moved, signal: 0.8, noise: 0.4)[element / 3]
      }
      let slope = (density(1e-5) - density(-1e-5)) / 2e-5
      #expect(abs(slope - score[element]) < 1e-7)
    }
  }

  @Test func aNetworkThatLearnsTheVarianceAnswersTwiceTheChannels() throws {
    let (data, answer) = (Sample.uniform([2, 3], seed: 1), Sample.uniform([2, 3], seed: 2))
    let denoiser = Self.process.denoiser(.sample, batch: 2) { _, _ in
      Tensor.concatenated([data, answer], axis: -1)
    }
    let estimate = denoiser.estimate(data, at: Self.process.levels[5])
    #expect(estimate.denoised.doubles == data.doubles)
    #expect(try #require(estimate.variance).doubles == answer.doubles)
  }
}
