import Foundation
import TensorCore
import TestSupport
import Testing

@Suite(.serialized) struct AttentionTests {
  /// Attention by the definition, in float64, a query and a head at a time.
  private func oracle(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, causal: Bool, bias: (Int, Int, Int, Int) -> Double
  ) -> Tensor {
    let (batch, queries, heads, size) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
    let (keys, keyHeads, valueSize) = (k.shape[1], k.shape[2], v.shape[3])
    let (qs, ks, vs) = (q.doubles, k.doubles, v.doubles)
    var out = [Double](repeating: 0, count: batch * queries * heads * valueSize)
    for b in 0..<batch {
      for h in 0..<heads {
        let g = h / (heads / keyHeads)
        for i in 0..<queries {
          let scores = (0..<keys).map { j -> Double in
            if causal && j > i { return -.infinity }
            let product = (0..<size).reduce(0.0) {
              $0 + qs[((b * queries + i) * heads + h) * size + $1]
                * ks[((b * keys + j) * keyHeads + g) * size + $1]
            }
            return product / Double(size).squareRoot() + bias(b, h, i, j)
          }
          guard let largest = scores.max(), largest > -.infinity else { continue }
          let powers = scores.map { exp($0 - largest) }
          let sum = powers.reduce(0, +)
          for c in 0..<valueSize {
            out[((b * queries + i) * heads + h) * valueSize + c] =
              (0..<keys).reduce(0.0) {
                $0 + powers[$1] / sum * vs[((b * keys + $1) * keyHeads + g) * valueSize + c]
              }
          }
        }
      }
    }
    return Tensor(out, shape: [batch, queries, heads, valueSize])
  }

  private func sample(
    _ batch: Int, _ queries: Int, _ keys: Int, _ heads: Int, _ keyHeads: Int, _ size: Int
  ) -> [Tensor] {
    [
      Sample.uniform([batch, queries, heads, size], seed: 91, low: -3, high: 3),
      Sample.uniform([batch, keys, keyHeads, size], seed: 92, low: -3, high: 3),
      Sample.uniform([batch, keys, keyHeads, size + 3], seed: 93, low: -3, high: 3),
    ]
  }

  @Test(arguments: [[2, 5, 7, 2, 2, 4], [1, 200, 1100, 2, 1, 8], [2, 130, 77, 4, 2, 5]])
  func agreesWithTheDefinition(_ lengths: [Int]) {
    let x = sample(lengths[0], lengths[1], lengths[2], lengths[3], lengths[4], lengths[5])
    let single = x.map { $0.converted(to: .float32) }
    let bias = Sample.uniform([lengths[3], 1, lengths[2]], seed: 94, low: -2, high: 2)
    let values = bias.doubles
    for causal in [false, true] {
      let plain = oracle(x[0], x[1], x[2], causal: causal) { _, _, _, _ in 0 }
      expectClose(
        .attention(query: x[0], key: x[1], value: x[2], causal: causal), plain, tolerance: 1e-13)
      expectClose(
        .attention(query: single[0], key: single[1], value: single[2], causal: causal), plain,
        tolerance: 3e-6)
      let biased = oracle(x[0], x[1], x[2], causal: causal) { _, h, _, j in
        values[h * lengths[2] + j]
      }
      expectClose(
        .attention(query: x[0], key: x[1], value: x[2], mask: .added(bias), causal: causal),
        biased, tolerance: 1e-13)
    }
  }

  @Test func aQueryThatSeesNothingGivesZerosAndNoGradient() {
    let x = sample(1, 3, 4, 2, 2, 4)
    let allowed = Tensor([1.0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1], shape: [3, 4])
    let tape = Tape()
    let variables = x.map { tape.watch($0) }
    let result = Tensor.attention(
      query: variables[0], key: variables[1], value: variables[2], mask: .allowed(allowed))
    let expected = oracle(x[0], x[1], x[2], causal: false) { _, _, i, j in
      allowed.doubles[i * 4 + j] == 0 ? -.infinity : 0
    }
    expectClose(result.detached, expected, tolerance: 1e-14)
    let gradients = tape.gradients(of: result.sum(), withRespectTo: variables)
    #expect(gradients[0].sliced(axis: 1, 1..<2).doubles.allSatisfy { $0 == 0 })
    #expect(gradients.allSatisfy { $0.isFinite })
  }

  @Test func headsSideBySideAreTheSame() {
    let x = sample(2, 5, 7, 3, 3, 4)
    let flat = x.map { $0.reshaped([$0.shape[0], $0.shape[1], -1]) }
    let apart = Tensor.attention(query: x[0], key: x[1], value: x[2])
    let together = Tensor.attention(query: flat[0], key: flat[1], value: flat[2], heads: 3)
    #expect(together.shape == [2, 5, 21])
    #expect(together.doubles == apart.doubles)
  }

  @Test func aSampleHasTheSameBytesInAnyBatchAndForAnyThreads() {
    let before = Backend.threads
    defer { Backend.threads = before }
    let x = sample(5, 140, 600, 2, 2, 8).map { $0.converted(to: .float32) }
    let alone = (0..<5).flatMap { index -> [Float] in
      let one = x.map { $0.sliced(axis: 0, index..<index + 1) }
      return Tensor.attention(query: one[0], key: one[1], value: one[2]).floats
    }
    for threads in [1, 2, 3, 8] {
      Backend.threads = threads
      let all = Tensor.attention(query: x[0], key: x[1], value: x[2]).floats
      expectSame(all, alone, "\(threads) threads")
    }
  }
}
