import TensorCore
import TestSupport
import Testing

/// Random shapes, odd ones included, against OpenBLAS in float64; at the level of kernels in use (`TENSOR_KERNELS`).
@Suite struct MatrixProductPropertyTests {
  /// op(A) op(B) of matrices in float64 by OpenBLAS.
  private func oracle(
    _ a: Tensor, _ b: Tensor, _ m: Int, _ n: Int, _ k: Int, _ transposeA: Bool, _ transposeB: Bool
  ) -> [Double] {
    let (x, y) = (a.doubles, b.doubles)
    var c = [Double](repeating: 0, count: m * n)
    x.withUnsafeBytes { x in
      y.withUnsafeBytes { y in
        c.withUnsafeMutableBytes { c in
          guard let x = x.baseAddress, let y = y.baseAddress, let c = c.baseAddress else { return }
          BLAS.gemm(
            .float64, transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k,
            a: x, strideA: transposeA ? m : k, b: y, strideB: transposeB ? k : n,
            c: c, strideC: n)
        }
      }
    }
    return c
  }

  /// Every element within the bound of a sum of blocks, each a chain of at most 320 multiply-adds:
  /// |error| <= (320 + blocks + 1) u sum |a| |b|, u half the distance of two numbers about 1 (Higham 2002, chapter 4).
  @Test func agreesWithBLAS() {
    var shapes = ShapeGenerator(seed: 1)
    for round in 0..<1500 {
      let (m, n, k) = (shapes.next(140), shapes.next(140), shapes.next(900))
      let (transposeA, transposeB) = (round % 2 == 1, round / 2 % 2 == 1)
      let dtype: DType = round % 5 == 4 ? .float64 : .float32
      let a = Sample.uniform(transposeA ? [k, m] : [m, k], seed: UInt64(2 * round + 1))
        .converted(to: dtype)
      let b = Sample.uniform(transposeB ? [n, k] : [k, n], seed: UInt64(2 * round + 2))
        .converted(to: dtype)
      let c = a.matmul(b, transposeA: transposeA, transposeB: transposeB).doubles
      let expected = oracle(a, b, m, n, k, transposeA, transposeB)
      let sizes = oracle(a.magnitude(), b.magnitude(), m, n, k, transposeA, transposeB)
      let unit = dtype == .float32 ? 0x1p-24 : 0x1p-53
      // Twice the bound in float64, whose oracle errs as much.
      let factor = 2 * unit * Double(min(k, 320) + k / 160 + 2)
      let wrong = c.indices.first { !(abs(c[$0] - expected[$0]) <= factor * sizes[$0]) }
      #expect(
        wrong == nil, "\(m)x\(n)x\(k) \(transposeA) \(transposeB) \(dtype), element \(wrong ?? 0)")
    }
  }

  /// Some rows by some of a weight's columns are the same bytes as cut out of the whole product, whatever else is
  /// computed beside them.
  @Test func bytesDoNotDependOnTheCut() {
    var shapes = ShapeGenerator(seed: 2)
    for round in 0..<400 {
      let (m, n, k) = (shapes.next(300), shapes.next(300), shapes.next(700))
      let x = Sample.uniform([m, k], seed: UInt64(round + 1)).converted(to: .float32)
      let weight = Sample.uniform([n, k], seed: UInt64(round + 7)).converted(to: .float32)
      let bias = Sample.uniform([n], seed: UInt64(round + 9)).converted(to: .float32)
      let whole = x.linear(weight, bias)
      let (i, j) = (shapes.range(m), shapes.range(n))
      let part = x.sliced(axis: 0, i).linear(weight.sliced(axis: 0, j), bias.sliced(axis: 0, j))
      expectSame(
        part.floats, whole.sliced(axis: 0, i).sliced(axis: 1, j).floats,
        "\(m)x\(n)x\(k) rows \(i) columns \(j)")
    }
  }
}
