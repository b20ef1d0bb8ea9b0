import TensorCore
import TestSupport
import Testing

/// Random lengths, odd ones included, against products and softmax in float64; at the level of kernels in use
/// (`TENSOR_KERNELS`).
@Suite struct AttentionPropertyTests {
  /// The definition, by other operations: `[batch, tokens, heads, size]` all with the same heads.
  private func definition(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ bias: Tensor?, causal: Bool
  ) -> Tensor {
    let (queries, keys) = (q.shape[1], k.shape[1])
    let scale = 1 / Double(q.shape[3]).squareRoot()
    var scores =
      q.permuted([0, 2, 1, 3]).matmul(k.permuted([0, 2, 1, 3]), transposeB: true) * scale
    if let bias { scores = scores + bias }
    if causal {
      let hidden = (0..<queries * keys).map { $0 % keys > $0 / keys ? -1e30 : 0 }
      scores = scores + Tensor(hidden, shape: [queries, keys])
    }
    return scores.softmax(axis: -1).matmul(v.permuted([0, 2, 1, 3])).permuted([0, 2, 1, 3])
  }

  @Test(arguments: 0..<8)
  func resultAndGradientsAgreeWithTheDefinition(_ group: Int) {
    var shapes = ShapeGenerator(seed: UInt64(group + 1))
    for round in 0..<150 {
      let (batch, heads) = (1 + round % 2, 1 + round / 2 % 2)
      let (queries, keys) = (shapes.next(70), shapes.next(round % 10 == 0 ? 420 : 70))
      let (size, valueSize) = (shapes.next(48), shapes.next(48))
      let causal = round % 3 == 0
      let seed = UInt64(1000 * group + round + 1)
      let x = [
        Sample.uniform([batch, queries, heads, size], seed: seed, low: -2, high: 2),
        Sample.uniform([batch, keys, heads, size], seed: seed + 1, low: -2, high: 2),
        Sample.uniform([batch, keys, heads, valueSize], seed: seed + 2),
      ].map { $0.converted(to: .float32) }
      let bias =
        round % 4 == 1
        ? Sample.uniform([heads, round % 8 == 1 ? 1 : queries, keys], seed: seed + 3) : nil
      let output = Sample.uniform([batch, queries, heads, valueSize], seed: seed + 4)
        .converted(to: .float32)
      let tape = Tape()
      let variables = x.map { tape.watch($0) }
      let result = Tensor.attention(
        query: variables[0], key: variables[1], value: variables[2],
        mask: bias.map { .added($0) }, causal: causal)
      let exactTape = Tape()
      let exact = x.map { exactTape.watch($0.converted(to: .float64)) }
      let expected = definition(exact[0], exact[1], exact[2], bias, causal: causal)
      let name = "\(batch)x\(heads)x\(queries)x\(keys)x\(size):\(valueSize) causal \(causal)"
      expectClose(result.detached, expected.detached, tolerance: 4e-6, name)
      let gradients = tape.gradients(of: result, seed: output, withRespectTo: variables)
      let exactGradients = exactTape.gradients(
        of: expected, seed: output.converted(to: .float64), withRespectTo: exact)
      // Gradients of single keys may cancel to nothing: the scale is what the terms have.
      for (index, (a, e)) in zip(gradients, exactGradients).enumerated() {
        let difference = zip(a.doubles, e.doubles).map { abs($0 - $1) }.max() ?? 0
        let size = max(e.doubles.map(abs).max() ?? 0, 1)
        #expect(difference <= 1e-5 * size, "\(name): gradient \(index) is off by \(difference)")
      }
    }
  }
}
