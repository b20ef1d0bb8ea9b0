import Diffusion
import Foundation
import Testing

@Suite struct NoiseLevelTests {
  @Test func variancePreservingLevelsHaveUnitVariance() {
    for squared in [0.0, 1e-9, 0.3, 0.9999, 1] {
      let level = NoiseLevel(squaredSignal: squared)
      #expect(abs(level.totalVariance - 1) < 1e-15)
      #expect(abs(level.signal * level.signal - squared) < 1e-15)
    }
    for ratio in [0, 1e-12, 0.3, 157, 1e12, .infinity] {
      let level = NoiseLevel(variancePreservingRatio: ratio)
      #expect(abs(level.totalVariance - 1) < 1e-15)
      #expect(level.ratio == ratio || relative(level.ratio, ratio) < 1e-14)
    }
  }

  @Test func namesTheSameLevelInEveryLetter() {
    let level = NoiseLevel(signal: 0.6, noise: 0.8)
    #expect(relative(level.ratio, 4.0 / 3) < 1e-15)
    #expect(relative(level.signalToNoise, 0.5625) < 1e-15)
    #expect(relative(level.logSNR, log(0.5625)) < 1e-15)
    #expect(NoiseLevel.clean.ratio == 0)
    #expect(NoiseLevel.clean.logSNR == .infinity)
    #expect(NoiseLevel.pureNoise.logSNR == -.infinity)
    #expect(NoiseLevel(sigma: 5) == NoiseLevel(signal: 1, noise: 5))
  }
}
