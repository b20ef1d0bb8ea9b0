import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct DiagonalGaussianTests {
  private let p = DiagonalGaussian(
    mean: Sample.uniform([3, 2, 4], seed: 121, low: -2, high: 2),
    logVariance: Sample.uniform([3, 2, 4], seed: 122, low: -3, high: 2))
  private let q = DiagonalGaussian(
    mean: Sample.uniform([3, 2, 4], seed: 123, low: -2, high: 2),
    logVariance: Sample.uniform([3, 2, 4], seed: 124, low: -3, high: 2))

  /// Sums a function of an index over each sample.
  private func sums(_ body: (Int) -> Double) -> Tensor {
    Tensor((0..<3).map { sample in (0..<8).reduce(0.0) { $0 + body(sample * 8 + $1) } })
  }

  @Test func closedForms() {
    let x = Sample.uniform([3, 2, 4], seed: 125, low: -3, high: 3)
    let (m, v, xs) = (p.mean.doubles, p.logVariance.doubles.map { exp($0) }, x.doubles)
    let (n, w) = (q.mean.doubles, q.logVariance.doubles.map { exp($0) })
    expectClose(
      p.logDensity(x),
      sums {
        log(exp(-pow(xs[$0] - m[$0], 2) / (2 * v[$0])) / (2 * Double.pi * v[$0]).squareRoot())
      },
      tolerance: 1e-13)
    expectClose(
      p.entropy, sums { 0.5 * log(2 * Double.pi * exp(1) * v[$0]) }, tolerance: 1e-13)
    expectClose(
      p.divergence(to: q),
      sums {
        log((w[$0] / v[$0]).squareRoot()) + (v[$0] + pow(m[$0] - n[$0], 2)) / (2 * w[$0]) - 0.5
      }, tolerance: 1e-13)
    expectClose(
      p.divergenceToStandard, p.divergence(to: .standard([3, 2, 4], dtype: .float64)),
      tolerance: 1e-13)
    expectClose(p.sample(noise: x), p.mean + p.variance.sqrt() * x, tolerance: 1e-14)
    #expect(p.mode.doubles == m)
  }

  @Test func theProductIsTheProductOfTheDensities() {
    let (product, logFactor) = p.product(with: q)
    for seed: UInt64 in [126, 127] {
      let x = Sample.uniform([3, 2, 4], seed: seed, low: -3, high: 3)
      expectClose(
        product.logDensity(x) + logFactor, p.logDensity(x) + q.logDensity(x), tolerance: 1e-13)
    }
    let (v, w) = (p.variance.doubles, q.variance.doubles)
    let precisions = Tensor(zip(v, w).map { 1 / (1 / $0 + 1 / $1) }, shape: [3, 2, 4])
    expectClose(product.variance, precisions, tolerance: 1e-14)
    let posterior = p.posterior(observing: q.mean, logVariance: q.logVariance)
    #expect(posterior.mean.doubles == product.mean.doubles)
  }

  @Test func divergencesAreNotNegativeAndZeroAtEquality() {
    #expect(p.divergence(to: p).doubles == [0, 0, 0])
    #expect(p.divergence(to: q).doubles.allSatisfy { $0 > 0 })
    #expect(DiagonalGaussian.standard([2, 5]).divergenceToStandard.doubles == [0, 0])
    for scale in [1e-2, 1e-5, 1e-8] {
      let near = DiagonalGaussian(
        mean: p.mean, logVariance: p.logVariance + q.logVariance * scale)
      #expect(near.divergence(to: p).doubles.allSatisfy { $0 >= -1e-15 })
    }
  }

  @Test func averagesOverSamplesAgree() {
    var generator = CounterGenerator(seed: 5)
    let wide = 20_000
    func repeated(_ tensor: Tensor) -> Tensor {
      tensor.sliced(axis: 0, 0..<1).broadcasted(to: [wide, 2, 4])
    }
    let many = DiagonalGaussian(mean: repeated(p.mean), logVariance: repeated(p.logVariance))
    let other = DiagonalGaussian(mean: repeated(q.mean), logVariance: repeated(q.logVariance))
    let x = many.sample(using: &generator)
    let entropy = -many.logDensity(x).mean().item
    // The density's deviation is that of half a chi-squared variable with 8 degrees: 2, over root 20,000.
    #expect(abs(entropy - p.entropy.doubles[0]) < 5 * 2 / Double(wide).squareRoot())
    let difference = many.logDensity(x) - other.logDensity(x)
    let error = (difference.variance().item / Double(wide)).squareRoot()
    #expect(abs(difference.mean().item - p.divergence(to: q).doubles[0]) < 5 * error)
  }

  @Test func gradients() {
    let x = Sample.uniform([3, 2, 4], seed: 128)
    let checks: [(String, @Sendable (DiagonalGaussian, Tensor) -> Tensor)] = [
      ("sample", { $0.sample(noise: $1) }), ("log density", { $0.logDensity($1) }),
      ("entropy", { gaussian, x in gaussian.entropy }),
      ("divergence to standard", { gaussian, x in gaussian.divergenceToStandard }),
      ("divergence", { $0.divergence(to: DiagonalGaussian(mean: $1, logVariance: $1)) }),
      ("product", { $0.product(with: DiagonalGaussian(mean: $1, logVariance: $1)).logFactor }),
    ]
    for (name, function) in checks {
      GradientCheck(name, [p.mean, p.logVariance, x]) {
        function(DiagonalGaussian(mean: $0[0], logVariance: $0[1]), $0[2])
      }.run()
    }
  }

  @Test func momentsAreSplitAndClampedOnlyWhenAsked() {
    let moments = Tensor([1.0, 2, 50, -90], shape: [1, 4])
    #expect(DiagonalGaussian(moments: moments).logVariance.doubles == [50, -90])
    let bounded = DiagonalGaussian(
      moments: moments, clampedTo: DiagonalGaussian.autoencoderBounds)
    #expect(bounded.mean.doubles == [1, 2])
    #expect(bounded.logVariance.doubles == [20, -30])
  }
}
