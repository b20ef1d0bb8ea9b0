import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct LossTests {
  static let process = DiscreteProcess(.ddpm, count: 100)

  static func batch(_ timesteps: [Int], channels: Int = 4) -> NoisyBatch {
    let shape = [timesteps.count, channels]
    return NoisyBatch(
      Sample.uniform(shape, seed: 1), noise: Sample.uniform(shape, seed: 2),
      timesteps: timesteps, of: process)
  }

  @Test func noisyDataAreTheMarginals() {
    let batch = Self.batch([3, 99])
    let (data, noise, noisy) = (batch.data.doubles, batch.noise.doubles, batch.noisy.doubles)
    for element in 0..<8 {
      let squared = Self.process.squaredSignal(element < 4 ? 3 : 99)
      let expected =
        squared.squareRoot() * data[element] + (1 - squared).squareRoot() * noise[element]
      #expect(abs(noisy[element] - expected) < 1e-14)
    }
  }

  @Test(arguments: Parameterization.allCases)
  func aPerfectAnswerHasNoLossAndTheLossIsTheMeanSquare(_ kind: Parameterization) {
    let batch = Self.batch([3, 99])
    let loss = DenoisingLoss(process: Self.process, parameterization: kind)
    let target = loss.target(for: batch)
    #expect(loss.perSample(target, for: batch).doubles == [0, 0])
    let off = target + Tensor([0.5, -0.5, 1, 0], shape: [4])
    expectClose(
      loss.perSample(off, for: batch), Tensor([0.375, 0.375]), tolerance: 1e-13)
  }

  /// Min-SNR is one weight of the error in x0, whatever the network predicts.
  @Test(arguments: [0, 10, 40, 99])
  func minSNRIsTheSameInEveryForm(_ timestep: Int) {
    let batch = Self.batch([timestep])
    let shift = Sample.uniform([1, 4], seed: 5)
    let ratio = batch.levels[0].signalToNoise
    let expected = min(ratio, 5) * (shift * shift).mean().item
    let guess = batch.data + shift
    for kind in Parameterization.allCases {
      let numbers = kind.preconditioning(at: batch.levels[0], of: Self.process)
      let output = Tensor.linearCombination([
        (1 / numbers.output, guess), (-numbers.skip / numbers.output, batch.noisy),
      ])
      let loss = DenoisingLoss(
        process: Self.process, parameterization: kind, weighting: .minSNR(gamma: 5))
      #expect(relative(loss.perSample(output, for: batch).item, expected) < 1e-9)
    }
  }

  @Test func minSNRWeightsAreThePapers() {
    let level = NoiseLevel(squaredSignal: 0.9)
    func weight(_ kind: Parameterization, _ gamma: Double) -> Double {
      LossWeighting.minSNR(gamma: gamma).weight(at: level, of: kind, on: Self.process)
    }
    #expect(relative(weight(.epsilon, 5), 5.0 / 9) < 1e-12 && weight(.epsilon, 20) == 1)
    #expect(weight(.sample, 5) == 5 && relative(weight(.sample, 20), 9) < 1e-12)
    #expect(relative(weight(.velocity, 5), 0.5) < 1e-12)
    #expect(LossWeighting.uniform.weight(at: level, of: .epsilon, on: Self.process) == 1)
  }

  @Test func theHybridLossTeachesTheMeanNothingButTheVarianceByTheBound() {
    let batch = Self.batch([0, 5, 99])
    let output = Sample.uniform([3, 8], seed: 9, low: -0.8, high: 0.8)
    func gradient(_ variance: ReverseVariance, share: Double) -> [Double] {
      let loss = DenoisingLoss(process: Self.process, variance: variance, boundShare: share)
      let tape = Tape()
      let variable = tape.watch(output)
      let used = variance.isLearned ? variable : variable.split(axis: -1, into: 2)[0]
      return tape.gradients(
        of: loss.perSample(used, for: batch).sum(), withRespectTo: [variable])[0].doubles
    }
    let simple = gradient(.fixedSmall, share: 0)
    let hybrid = gradient(.learnedRange, share: 0.001)
    let more = gradient(.learnedRange, share: 0.002)
    for row in 0..<3 {
      for column in 0..<8 {
        let index = row * 8 + column
        if column < 4 {
          #expect(hybrid[index] == simple[index])
        } else {
          #expect(simple[index] == 0 && hybrid[index] != 0)
          #expect(relative(more[index], 2 * hybrid[index]) < 1e-9)
        }
      }
    }
    let check = GradientCheck("hybrid", [output.sliced(axis: -1, 4..<8)]) { variances in
      let mean = output.sliced(axis: -1, 0..<4)
      let loss = DenoisingLoss(process: Self.process, variance: .learnedRange)
      return loss.perSample(Tensor.concatenated([mean, variances[0]], axis: -1), for: batch)
    }
    check.run()
  }

  @Test func theHybridLossIsTheSimpleOnePlusAThousandthOfTheBound() {
    let batch = Self.batch([0, 5, 99])
    let output = Sample.uniform([3, 8], seed: 9)
    let parts = output.split(axis: -1, into: 2)
    let hybrid = DenoisingLoss(process: Self.process, variance: .learnedRange)
      .perSample(output, for: batch)
    let simple = DenoisingLoss(process: Self.process).perSample(parts[0], for: batch)
    let numbers = batch.levels.map {
      Parameterization.epsilon.preconditioning(at: $0, of: Self.process)
    }
    let denoised = Tensor.linearCombination(perSample: [
      (numbers.map(\.skip), batch.noisy), (numbers.map(\.output), parts[0]),
    ])
    let terms = VariationalBound(Self.process, variance: .learnedRange)
      .terms(batch, Estimate(denoised: denoised, variance: parts[1]))
    expectClose(hybrid, simple + terms * (0.001 * 100), tolerance: 1e-12)
  }
}
