import TensorCore
import TestSupport
import Testing

@Suite(.serialized) struct MatrixProductTests {
  /// One matrix product by plain loops in float64.
  private func oracle(
    _ a: [Double], _ b: [Double], _ m: Int, _ n: Int, _ k: Int, _ transposeA: Bool,
    _ transposeB: Bool
  ) -> [Double] {
    var c = Array(repeating: 0.0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        for l in 0..<k {
          c[i * n + j] +=
            (transposeA ? a[l * m + i] : a[i * k + l]) * (transposeB ? b[j * k + l] : b[l * n + j])
        }
      }
    }
    return c
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 2), (130, 400, 17), (257, 7, 33), (5, 6, 4500)])
  func agreesWithLoops(_ m: Int, _ n: Int, _ k: Int) {
    for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
      let a = Sample.uniform(transposeA ? [k, m] : [m, k], seed: 61)
      let b = Sample.uniform(transposeB ? [n, k] : [k, n], seed: 62)
      let expected = Tensor(
        oracle(a.doubles, b.doubles, m, n, k, transposeA, transposeB), shape: [m, n])
      let c = a.matmul(b, transposeA: transposeA, transposeB: transposeB)
      expectClose(c, expected, tolerance: 1e-13, "float64 \(transposeA) \(transposeB)")
      let single = a.converted(to: .float32).matmul(
        b.converted(to: .float32), transposeA: transposeA, transposeB: transposeB)
      expectClose(single, expected, tolerance: 2e-6, "float32 \(transposeA) \(transposeB)")
    }
  }

  @Test func leadingAxesBroadcast() {
    let (a, b) = (Sample.uniform([2, 1, 3, 4], seed: 63), Sample.uniform([5, 4, 2], seed: 64))
    let c = a.matmul(b)
    #expect(c.shape == [2, 5, 3, 2])
    for i in 0..<2 {
      for j in 0..<5 {
        let part = c.sliced(axis: 0, i..<i + 1).sliced(axis: 1, j..<j + 1).reshaped([3, 2])
        let (left, right) = (a.sliced(axis: 0, i..<i + 1), b.sliced(axis: 0, j..<j + 1))
        let expected = oracle(left.doubles, right.doubles, 3, 2, 4, false, false)
        expectClose(part, Tensor(expected, shape: [3, 2]), tolerance: 1e-14)
      }
    }
  }

  @Test func vectorsLoseTheirAxis() {
    let (v, m) = (Sample.uniform([4], seed: 65), Sample.uniform([2, 4, 3], seed: 66))
    #expect(v.matmul(v).shape == [])
    #expect(v.matmul(m).shape == [2, 3])
    #expect(m.matmul(Sample.uniform([3], seed: 67)).shape == [2, 4])
  }

  @Test func linearIsAProductPlusTheBias() {
    for dtype in [DType.float32, .float64] {
      let x = Sample.uniform([3, 7, 20], seed: 68).converted(to: dtype)
      let weight = Sample.uniform([410, 20], seed: 69).converted(to: dtype)
      let bias = Sample.uniform([410], seed: 70).converted(to: dtype)
      let expected = oracle(
        x.doubles, weight.doubles, 21, 410, 20, false, true
      ).enumerated().map { $1 + bias.doubles[$0 % 410] }
      expectClose(
        x.linear(weight, bias), Tensor(expected, shape: [3, 7, 410]),
        tolerance: dtype == .float32 ? 1e-6 : 1e-14)
    }
  }

  /// Samples of 1 to 300 rows, alone, among 8 and shuffled among 13, on 1 to 8 threads.
  @Test(arguments: [1, 5, 16, 64, 77, 130, 300])
  func aSampleHasTheSameBytesInAnyBatchAndForAnyThreads(_ rows: Int) {
    let before = Backend.threads
    defer { Backend.threads = before }
    for (depth, length) in [(40, 50), (420, 400)] {
      let x = Sample.uniform([13, rows, depth], seed: 71).converted(to: .float32)
      let weight = Sample.uniform([length, depth], seed: 72).converted(to: .float32)
      let bias = Sample.uniform([length], seed: 73).converted(to: .float32)
      let order = [7, 3, 11, 0, 12, 5, 1, 9, 2, 10, 4, 6, 8]
      let alone = (0..<13).map { x.sliced(axis: 0, $0..<$0 + 1).linear(weight, bias).floats }
      for threads in [1, 3, 8] {
        Backend.threads = threads
        let first = x.sliced(axis: 0, 0..<8).linear(weight, bias)
        expectSame(first.floats, alone[..<8].flatMap { $0 }, "8 samples, \(threads) threads")
        let shuffled = Tensor.concatenated(
          order.map { x.sliced(axis: 0, $0..<$0 + 1) }, axis: 0)
        expectSame(
          shuffled.linear(weight, bias).floats, order.flatMap { alone[$0] },
          "13 samples, \(threads) threads")
      }
    }
  }
}
