import Diffusion
import TensorCore
import TestSupport
import Testing

@Suite struct ThresholdingTests {
  @Test func clampsToTheLimit() {
    let result = Threshold.clamped(to: 0.5).applied(to: Tensor([-2, -0.25, 0.5, 3.0]))
    #expect(result.doubles == [-0.5, -0.25, 0.5, 0.5])
  }

  @Test func dynamicThresholdsAreEachSamplesOwn() {
    let x = Tensor([0.5, -1, 2, -4, 0.1, 0.2, -0.3, 0.4], shape: [2, 4])
    // Absolute values 0.5, 1, 2, 4: half way between the second and the third is 1.5.
    let result = Threshold.dynamic(quantile: 0.5).applied(to: x).doubles
    let expected = [0.5 / 1.5, -1 / 1.5, 1, -1, 0.1, 0.2, -0.3, 0.4]
    #expect(zip(result, expected).allSatisfy { abs($0 - $1) < 1e-15 })
    let bounded = Threshold.dynamic(quantile: 0.5, largest: 1.25).applied(to: x).doubles
    #expect(abs(bounded[0] - 0.4) < 1e-15 && bounded[2] == 1)
  }

  @Test(arguments: [true, false])
  func keepsOrDropsTheDirection(_ keeps: Bool) {
    let base = AnyEstimate { x, _ in Estimate(denoised: x * 3) }
    let denoiser = Thresholded(base, .clamped(), keepsDirection: keeps)
    let x = Tensor([0.9, 0.1], shape: [1, 2])
    let estimate = denoiser.estimate(x, at: .clean)
    #expect(estimate.denoised.doubles[0] == 1)
    #expect(estimate.direction.map { abs($0.doubles[0] - 2.7) < 1e-12 } == (keeps ? true : nil))
  }
}
