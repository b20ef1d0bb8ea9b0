import TensorCore
import TestSupport
import Testing

@Suite struct LinearCombinationTests {
  static let factors = [0.7, -1.3, 2.1, 0.4, -0.9, 1.6, 0.2, -2.4]

  @Test(arguments: Array(1...8), [DType.float32, .float64])
  func addsUpItsTerms(count: Int, dtype: DType) {
    for shape in [[], [3], [2, 5, 7], [3, 40_000], [0, 4]] {
      let inputs = (1...8).map { Sample.uniform(shape, seed: UInt64($0)) }
      let terms = (0..<count).map { (Self.factors[$0], inputs[$0].converted(to: dtype)) }
      // Read once: `doubles` copies the whole tensor.
      let values = inputs.map(\.doubles)
      let expected = values[0].indices.map { element in
        (0..<count).reduce(0.0) { $0 + Self.factors[$1] * values[$1][element] }
      }
      expectClose(
        Tensor.linearCombination(terms).converted(to: .float64), Tensor(expected, shape: shape),
        tolerance: dtype == .float32 ? 2e-6 : 2e-15)
    }
  }

  @Test func takesAFactorForEachSample() {
    let (x, y) = (Sample.uniform([3, 4], seed: 1), Sample.uniform([3, 4], seed: 2))
    let (a, b) = ([1.0, -2, 0.5], [0.3, 0, 4])
    let result = Tensor.linearCombination(perSample: [(a, x), (b, y)])
    let (first, second) = (x.doubles, y.doubles)
    let expected = (0..<12).map { (element: Int) -> Double in
      a[element / 4] * first[element] + b[element / 4] * second[element]
    }
    expectClose(result, Tensor(expected, shape: [3, 4]), tolerance: 1e-15)
  }
}
