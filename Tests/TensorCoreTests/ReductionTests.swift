import TensorCore
import TestSupport
import Testing

@Suite struct ReductionTests {
  /// Sums by plain loops in float64 over an index list.
  private func oracle(
    _ x: Tensor, axes: Set<Int>, _ combine: (Double, Double) -> Double, from start: Double
  ) -> [Double] {
    let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
    var result = Array(repeating: start, count: kept.reduce(1, *))
    for (flat, value) in x.doubles.enumerated() {
      var (rest, target, step) = (flat, 0, 1)
      for axis in x.shape.indices.reversed() {
        let index = rest % x.shape[axis]
        rest /= x.shape[axis]
        if !axes.contains(axis) {
          target += index * step
          step *= x.shape[axis]
        }
      }
      result[target] = combine(result[target], value)
    }
    return result
  }

  @Test(arguments: [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
  func sumAndMaxAgreeWithLoops(_ axes: [Int]) {
    for shape in [[3, 5, 7], [2, 400, 130], [70_000, 1, 2], [1, 3, 70_001]] {
      let x = Sample.uniform(shape, seed: 21)
      let sum = x.sum(axes: axes)
      let expected = oracle(x, axes: Set(axes), +, from: 0)
      expectClose(sum, Tensor(expected, shape: sum.shape), tolerance: 1e-12, "sum \(shape) \(axes)")
      let largest = x.max(axes: axes)
      #expect(largest.doubles == oracle(x, axes: Set(axes), Swift.max, from: -2))
    }
  }

  @Test func floatSumsLoseLittle() {
    let x = Sample.uniform([1_000_003], seed: 22, low: 0, high: 1)
    let sum = x.converted(to: .float32).sum().item
    let expected = x.converted(to: .float32).doubles.reduce(0, +)
    #expect(abs(sum - expected) / expected < 1e-6)
  }

  @Test func logSumExpDoesNotOverflow() {
    #expect(abs(Tensor([1000.0, 1000]).logSumExp().item - 1000.6931471805599) < 1e-9)
    #expect(Tensor([-Double.infinity, -Double.infinity]).logSumExp().item == -.infinity)
  }

  @Test func theLargestOfSomeThatAreNoNumbersIsNoNumber() {
    #expect(Tensor([1.0, .nan, 3]).max().item.isNaN)
    #expect(Tensor([1.0, .nan, 3], shape: [3, 1]).max(axes: [0]).item.isNaN)
  }

  @Test func resultsDoNotDependOnTheThreads() {
    let x = Sample.uniform([300, 1000], seed: 23).converted(to: .float32)
    let before = Backend.threads
    defer { Backend.threads = before }
    let results = [1, 2, 3, 8].map { threads -> [Float] in
      Backend.threads = threads
      return x.sum(axes: [0]).floats + x.silu().sum().floats
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
