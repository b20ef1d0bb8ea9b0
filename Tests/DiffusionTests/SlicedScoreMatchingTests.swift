import Diffusion
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct SlicedScoreMatchingTests {
  static let x = Sample.uniform([6, 3], seed: 1)
  static let directions = Sample.uniform([6, 3], seed: 2)
  static let noise = [0.3, 0.5, 0.7, 0.9, 1.1, 1.3]

  /// Scores tanh(x W) with W `[3, 3]`: the loss and its gradient by hand, with the exact Jacobian
  /// `J[k][j] = (1 - tanh²)_k W[j][k]`.
  private static func exact(_ weights: [Double]) -> (loss: [Double], gradient: [Double]) {
    let (x, v) = (x.doubles, directions.doubles)
    var losses: [Double] = []
    var gradient = [Double](repeating: 0, count: 9)
    for row in 0..<6 {
      var loss = 0.0
      for k in 0..<3 {
        let (along, value) = (0..<3).reduce(into: (0.0, 0.0)) {
          $0.0 += v[3 * row + $1] * weights[3 * $1 + k]
          $0.1 += x[3 * row + $1] * weights[3 * $1 + k]
        }
        let score = tanh(value)
        let slope = 1 - score * score
        loss += v[3 * row + k] * slope * along + score * score / 2
        for j in 0..<3 {
          let (xj, vj, vk) = (x[3 * row + j], v[3 * row + j], v[3 * row + k])
          gradient[3 * j + k] +=
            (vk * (slope * vj - 2 * score * slope * xj * along) + score * slope * xj) / 3
        }
      }
      losses.append(loss / 3)
    }
    return (losses, gradient)
  }

  private static func sliced(
    _ weights: Tensor, step: Double
  ) -> (loss: [Double], gradient: [Double]) {
    let tape = Tape()
    let variable = tape.watch(weights)
    let loss = SlicedScoreMatching(step: step).perSample(x, noise: noise, directions: directions) {
      $0.matmul(variable).tanh()
    }
    return (loss.doubles, tape.gradients(of: loss.sum(), withRespectTo: [variable])[0].doubles)
  }

  /// Off by the square of the step, loss and gradient: halving it leaves a quarter, and at 1e-4 nothing that counts.
  @Test func theGradientTendsToTheExactOneWithTheSquareOfTheStep() {
    let weights = Sample.uniform([3, 3], seed: 3)
    let exact = Self.exact(weights.doubles)
    func error(_ step: Double) -> (loss: Double, gradient: Double) {
      let found = Self.sliced(weights, step: step)
      return (
        zip(found.loss, exact.loss).map { abs($0 - $1) }.max() ?? 0,
        zip(found.gradient, exact.gradient).map { abs($0 - $1) }.max() ?? 0
      )
    }
    let (coarse, fine, finest) = (error(0.1), error(0.05), error(1e-4))
    #expect(abs(log2(coarse.loss / fine.loss) - 2) < 0.1)
    #expect(abs(log2(coarse.gradient / fine.gradient) - 2) < 0.1)
    // 1e-8 of truncation, and rounding over the step.
    #expect(finest.loss < 1e-7 && finest.gradient < 1e-7)
  }

  /// On N(0, d²) and affine scores the differences are exact: the least expectation is at -x / d², and is -1 / (2 d²).
  @Test(arguments: [true, false]) func theBestIsTheScoreOfAGaussian(_ reducesVariance: Bool) {
    let deviation = 0.7
    let x = Tensor([deviation, deviation, -deviation, -deviation], shape: [4, 1])
    let directions = Tensor([1.0, -1, 1, -1], shape: [4, 1])
    let sliced = SlicedScoreMatching(reducesVariance: reducesVariance)
    func loss(_ slope: Tensor) -> Tensor {
      sliced.perSample(x, noise: [1, 1, 1, 1], directions: directions) { $0 * slope }.mean()
    }
    let best = Tensor([-1 / (deviation * deviation)], shape: [1])
    let tape = Tape()
    let variable = tape.watch(best)
    #expect(abs(tape.gradients(of: loss(variable), withRespectTo: [variable])[0].item) < 1e-11)
    #expect(relative(loss(best).item, -0.5 / (deviation * deviation)) < 1e-11)
    #expect(loss(best + 0.1).item > loss(best).item && loss(best - 0.1).item > loss(best).item)
  }

  @Test func withoutVarianceReductionTheSquareIsAlongTheDirection() {
    let scores = Sample.uniform([6, 3], seed: 4)
    func loss(_ reducesVariance: Bool) -> Tensor {
      SlicedScoreMatching(reducesVariance: reducesVariance)
        .perSample(Self.x, noise: Self.noise, directions: Self.directions) { _ in
          Tensor.concatenated([scores, scores], axis: 0)
        }
    }
    let (s, v) = (scores.doubles, Self.directions.doubles)
    for row in 0..<6 {
      let own = 3 * row..<3 * row + 3
      let square = own.reduce(0) { $0 + s[$1] * s[$1] }
      let along = own.reduce(0) { $0 + s[$1] * v[$1] }
      #expect(relative(loss(true).doubles[row], square / 6) < 1e-12)
      #expect(relative(loss(false).doubles[row], along * along / 6) < 1e-12)
    }
  }
}
