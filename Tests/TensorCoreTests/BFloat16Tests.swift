import TensorCore
import Testing

/// Products in bfloat16 against float64 products of operands that were rounded to bfloat16: only the sums differ then.
@Suite(.enabled(if: Backend.hasBFloat16, "this processor has no bfloat16 instructions"))
struct BFloat16Tests {
  private func values(_ shape: [Int], seed: UInt64) -> Tensor {
    var draws = CounterGenerator(seed: seed)
    return Tensor.randomNormal(shape, using: &draws)
  }

  private func rounded(_ x: Tensor) -> Tensor {
    x.converted(to: .bfloat16).converted(to: .float32).converted(to: .float64)
  }

  private func inBFloat16(_ body: () -> Tensor) -> Tensor {
    Backend.$products.withValue(.bfloat16, operation: body)
  }

  /// float32 sums of `depth` products of unit variance err by about 2^-24 sqrt(depth) times the partial sums, which
  /// reach sqrt(depth): far below what a wrong pair would change.
  private func expectEqual(_ found: Tensor, _ expected: Tensor, depth: Int) {
    #expect(found.shape == expected.shape)
    let worst = zip(found.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 0
    #expect(worst < 4e-7 * Double(depth + 16), "\(found.shape) of depth \(depth): \(worst)")
  }

  @Test func linearLayersOfManyShapes() {
    var draws = CounterGenerator(seed: 7)
    for _ in 0..<60 {
      let lengths = draws.integers(below: 150, count: 3).map { $0 + 1 }
      let (rows, depth, outputs) = (lengths[0], 2 * lengths[1] * (lengths[0] % 5 + 1), lengths[2])
      let (x, bias) = (values([rows, depth], seed: 1), values([outputs], seed: 3))
      let weight = values([outputs, depth], seed: 2).converted(to: .bfloat16)
      let expected = rounded(x).linear(
        weight.converted(to: .float64), bias.converted(to: .float64))
      expectEqual(inBFloat16 { x.linear(weight, bias) }, expected, depth: depth)
    }
  }

  @Test(arguments: [(1, 1, 9), (3, 1, 8), (3, 2, 17), (1, 1, 33)])
  func convolutions(_ kernel: Int, _ stride: Int, _ side: Int) {
    for (channels, outputs) in [(6, 5), (64, 70), (322, 33)] {
      let x = values([2, side, side, channels], seed: 1)
      let weights = values([kernel, kernel, channels, outputs], seed: 2).converted(to: .bfloat16)
      let bias = values([outputs], seed: 3)
      func convolved(_ x: Tensor, _ weights: Tensor, _ bias: Tensor) -> Tensor {
        x.convolved(
          with: weights, bias: bias, stride: (stride, stride), padding: Padding(kernel / 2))
      }
      let found = inBFloat16 { convolved(x, weights, bias) }
      let isWinograd = kernel == 3 && stride == 1 && side > 8
      let source = isWinograd ? x.converted(to: .float64) : rounded(x)
      let expected = convolved(
        source, weights.converted(to: .float64), bias.converted(to: .float64))
      expectEqual(found, expected, depth: kernel * kernel * channels)
    }
  }

  /// Weights of attention are rounded too, so it differs from the exact one by some 2^-9 of a value.
  @Test func attention() {
    for (queries, keys, size, valueSize) in [
      (1, 1, 2, 1), (33, 77, 40, 40), (70, 300, 64, 80), (64, 193, 160, 13), (100, 500, 512, 512),
    ] {
      let q = values([2, queries, 3, size], seed: 1)
      let k = values([2, keys, 3, size], seed: 2)
      let v = values([2, keys, 3, valueSize], seed: 3)
      let found = inBFloat16 { Tensor.attention(query: q, key: k, value: v) }
      let expected = Tensor.attention(
        query: q.converted(to: .float64), key: k.converted(to: .float64),
        value: v.converted(to: .float64))
      let errors = zip(found.doubles, expected.doubles).map { $0 - $1 }
      let deviation = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
      // Keys, queries, weights and values are off by 2^-9 / sqrt 3 each, the scores by sqrt 2 of it.
      #expect(deviation > 0 && deviation < 6e-3, "\(queries), \(keys), \(size): \(deviation)")
    }
  }

  @Test func aSampleHasTheSameBytesInAnyBatchAndForAnyThreads() {
    let x = values([5, 70, 96], seed: 1)
    let weight = values([130, 96], seed: 2).converted(to: .bfloat16)
    let one = x.split(axis: 0, into: 5)[3]
    func results(_ x: Tensor) -> [Tensor] {
      let y = x.linear(weight)
      let heads = x.reshaped([x.shape[0], 70, 3, 32])
      return [y, Tensor.attention(query: heads, key: heads, value: heads)]
    }
    Backend.$products.withValue(.bfloat16) {
      for (all, single) in zip(results(x), results(one)) {
        #expect(all.split(axis: 0, into: 5)[3].floats == single.floats)
      }
    }
  }

  /// Off, or on for weights of other types, or where a tape records, nothing is rounded.
  @Test func roundsNothingUnasked() {
    let (x, weight) = (values([9, 64], seed: 1), values([12, 64], seed: 2))
    let stored = weight.converted(to: .bfloat16)
    #expect(x.linear(stored).floats == x.linear(stored.converted(to: .float32)).floats)
    #expect(inBFloat16 { x.linear(weight) }.floats == x.linear(weight).floats)
    #expect(inBFloat16 { x.linear(stored) }.floats != x.linear(stored).floats)
    let heads = x.reshaped([1, 9, 2, 32])
    let exact = Tensor.attention(query: heads, key: heads, value: heads)
    let recorded = inBFloat16 {
      let watched = Tape().watch(heads, name: "x")
      return Tensor.attention(query: watched, key: watched, value: watched)
    }
    #expect(recorded.floats == exact.floats)
  }
}
