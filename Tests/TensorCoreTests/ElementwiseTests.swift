import Foundation
import TensorCore
import TestSupport
import Testing

/// Element-wise functions in float32 against the C library in float64.
@Suite struct ElementwiseTests {
  /// The exact value, in float64.
  private func oracle(_ operation: DifferentiableOperation, _ x: Double) -> Double {
    let inner = x + 0.044715 * x * x * x
    return switch operation {
    case .exp: Foundation.exp(x)
    case .tanh: Foundation.tanh(x)
    case .sigmoid: 1 / (1 + Foundation.exp(-x))
    case .silu: x / (1 + Foundation.exp(-x))
    case .relu: max(x, 0)
    case .leakyReLU: x < 0 ? 0.2 * x : x
    case .softplus: max(x, 0) + log1p(Foundation.exp(-abs(x)))
    case .gelu: x / 2 * (1 + Foundation.erf(x / 2.0.squareRoot()))
    case .geluTanh: x / 2 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * inner))
    case .geluQuick: x / (1 + Foundation.exp(-1.702 * x))
    case .erf: Foundation.erf(x)
    case .clamp: min(max(x, -1), 1.5)
    default: abs(x)
    }
  }

  static let functions: [DifferentiableOperation] = [
    .exp, .tanh, .sigmoid, .silu, .relu, .leakyReLU, .softplus, .gelu, .geluTanh, .geluQuick, .erf,
    .clamp, .magnitude,
  ]

  /// Functions whose terms cancel far below zero: their error is a share of the argument.
  static let cancelling: Set<DifferentiableOperation> = [.gelu, .geluTanh]

  @Test func functionsOfOneNumberAreWithinAFewUnitsInTheLastPlace() {
    let x = Sample.uniform([50_001], seed: 11, low: -20, high: 20).converted(to: .float32)
    for operation in Self.functions {
      let y = unary(operation, x).floats
      let worst =
        zip(x.floats, y).map { input, output -> Double in
          let exact = oracle(operation, Double(input))
          let scale = Self.cancelling.contains(operation) ? abs(Double(input)) : abs(exact)
          return abs(Double(output) - exact) / max(scale, 1e-3)
        }.max() ?? 1
      #expect(worst < 2e-6, "\(operation) is off by \(worst)")
    }
  }

  @Test func logarithmAndRootCoverTheWholeRange() {
    let x: [Float] = [
      .leastNonzeroMagnitude * 700, 1e-30, 0.1, 0.99999, 1, 1.00001, 2, 3e7, 3e38, .infinity, 0, -1,
      .nan,
    ]
    let y = Tensor(x).log().floats
    for (input, output) in zip(x, y) {
      let exact = Foundation.log(Double(input))
      if exact.isNaN {
        #expect(output.isNaN)
      } else if exact.isInfinite {
        #expect(Double(output) == exact)
      } else {
        #expect(abs(Double(output) - exact) <= 3e-7 * max(abs(exact), 1e-5), "log \(input)")
      }
    }
  }

  @Test func exponentialHandlesItsEnds() {
    let y = Tensor([Float](arrayLiteral: -200, -100, -88, 0, 88, 89, 500, .nan)).exp().floats
    #expect(y[0] == 0)
    #expect(abs(Double(y[1]) / Foundation.exp(-100) - 1) < 0.05)
    #expect(y[3] == 1)
    #expect(y[5] == .infinity && y[6] == .infinity && y[7].isNaN)
  }

  @Test(arguments: [
    ([2, 3, 4], [3, 1]), ([5, 1, 4], [2, 1]), ([1], [7, 2]), ([40, 3000], [3000]),
  ])
  func arithmeticBroadcastsAsNumPy(_ first: [Int], _ second: [Int]) {
    let (a, b) = (Sample.uniform(first, seed: 1), Sample.uniform(second, seed: 2))
    let result = a * b
    let (x, y) = (a.doubles, b.doubles)
    let expected = broadcastOracle(first, second, result.shape) { x[$0] * y[$1] }
    #expect(result.doubles == expected)
  }

  private func broadcastOracle(
    _ a: [Int], _ b: [Int], _ shape: [Int], _ body: (Int, Int) -> Double
  ) -> [Double] {
    func offset(_ index: [Int], _ own: [Int]) -> Int {
      let tail = index.suffix(own.count)
      return zip(tail, own).reduce(0) { $0 * $1.1 + ($1.1 == 1 ? 0 : $1.0) }
    }
    return (0..<shape.reduce(1, *)).map { flat in
      var rest = flat
      var index = shape
      for axis in shape.indices.reversed() {
        index[axis] = rest % shape[axis]
        rest /= shape[axis]
      }
      return body(offset(index, a), offset(index, b))
    }
  }

  @Test func gatedGELUIsTheProductOfTheHalves() {
    for dtype in [DType.float32, .float64] {
      var draws = CounterGenerator(seed: 5)
      let x = Tensor.randomNormal([7, 3, 74], using: &draws).converted(to: dtype)
      let halves = x.split(axis: -1, into: 2)
      #expect(x.gatedGELU().doubles == (halves[0] * halves[1].gelu()).doubles)
    }
  }
}
