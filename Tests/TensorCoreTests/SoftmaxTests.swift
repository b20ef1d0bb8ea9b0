import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct SoftmaxTests {
  private func oracle(_ row: [Double]) -> [Double] {
    let largest = row.max() ?? 0
    let powers = row.map { exp($0 - largest) }
    return powers.map { $0 / powers.reduce(0, +) }
  }

  @Test(arguments: [1, 5, 33, 1000, 4099])
  func rowsAgreeWithTheDefinition(_ length: Int) {
    let x = Sample.uniform([7, length], seed: 81, low: -30, high: 30)
    let expected = stride(from: 0, to: 7 * length, by: length).flatMap {
      oracle(Array(x.doubles[$0..<$0 + length]))
    }
    let exact = Tensor(expected, shape: [7, length])
    expectClose(x.softmax(), exact, tolerance: 1e-14)
    expectClose(x.logSoftmax().exp(), exact, tolerance: 1e-13)
    let single = x.converted(to: .float32)
    expectClose(single.softmax(), exact, tolerance: 3e-6)
    expectClose(single.logSoftmax(), exact.log(), tolerance: 1e-6)
    expectClose(single.softmax().sum(axes: [-1]), .ones([7]), tolerance: 1e-6)
  }

  @Test func otherAxesAreTheLastOneElsewhere() {
    let x = Sample.uniform([3, 4, 5], seed: 82)
    expectClose(
      x.softmax(axis: 1), x.permuted([0, 2, 1]).softmax().permuted([0, 2, 1]), tolerance: 0)
    expectClose(x.softmax(axis: 0).sum(axes: [0]), .ones([4, 5]), tolerance: 1e-14)
  }

  @Test func largeNumbersDoNotOverflow() {
    #expect(Tensor([1e30, 1e30, -1e30]).softmax().doubles == [0.5, 0.5, 0])
    #expect(Tensor([Float](arrayLiteral: 1e30, -1e30)).logSoftmax().floats[0] == 0)
  }

  @Test func crossEntropyAgreesWithTheDefinition() {
    let x = Sample.uniform([4, 6], seed: 83, low: -4, high: 4)
    let targets = [5, 2, 0, 3]
    let losses = targets.indices.map { row -> Double in
      let p = oracle(Array(x.doubles[row * 6..<row * 6 + 6])).map { log($0) }
      return -0.8 * p[targets[row]] - 0.2 * p.reduce(0, +) / 6
    }
    let smoothed = x.crossEntropy(targets, reduction: .none, labelSmoothing: 0.2)
    expectClose(smoothed, Tensor(losses), tolerance: 1e-13)
    let rest = x.crossEntropy(targets, labelSmoothing: 0.2, ignoring: 0).item
    #expect(abs(rest - (losses[0] + losses[1] + losses[3]) / 3) < 1e-13)
    let all = x.crossEntropy(targets, reduction: .sum, labelSmoothing: 0.2).item
    #expect(abs(all - losses.reduce(0, +)) < 1e-12)
  }

  @Test func embeddingTakesRows() {
    let table = Tensor([0.0, 1, 10, 11, 20, 21], shape: [3, 2])
    let rows = table.embedding([2, 0, 2, 1], shape: [2, 2])
    #expect(rows.shape == [2, 2, 2])
    #expect(rows.doubles == [20, 21, 0, 1, 20, 21, 10, 11])
  }
}
