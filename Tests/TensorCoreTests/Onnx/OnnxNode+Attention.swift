import TensorCore

extension OnnxNode {
  /// `Y`, the keys and values with those of the past before them, and the scores where they are asked for.
  func attention() throws -> [OnnxValue] {
    let isFlat = try tensor(0).rank == 3
    let q = try heads(0, integer("q_num_heads", 1))
    var (k, v) = (
      try heads(1, integer("kv_num_heads", 1)), try heads(2, integer("kv_num_heads", 1))
    )
    let past = has(4) ? try tensor(4).shape[2] : 0
    if has(4) {
      k = .concatenated([try tensor(4).permuted([0, 2, 1, 3]), k], axis: 1)
      v = .concatenated([try tensor(5).permuted([0, 2, 1, 3]), v], axis: 1)
    }
    let scale = number("scale") ?? 1 / Double(q.shape[3]).squareRoot()
    let mask = try wholeMask(q, k, past: past)
    let scores = scored(q, k, scale, mask)
    let causal = integer("is_causal", 0) == 1
    let y: Tensor
    if number("softcap") == nil {
      // The engine's own flag where it says all; else all is in the mask.
      let isPlain = causal && past == 0 && !has(3) && !has(6)
      y = .attention(
        query: q, key: k, value: v, mask: isPlain ? nil : mask.map { .added($0) },
        causal: isPlain, scale: scale)
    } else {
      let values = repeated(v, q.shape[2]).permuted([0, 2, 1, 3])
      y = scores[3].matmul(values).permuted([0, 2, 1, 3])
    }
    let shaped = isFlat ? y.reshaped([y.shape[0], y.shape[1], -1]) : y.permuted([0, 2, 1, 3])
    let present = [k, v].map { $0.permuted([0, 2, 1, 3]) }
    return ([shaped] + present + [scores[integer("qk_matmul_output_mode", 0)]])
      .map { OnnxValue(tensor: $0) }
  }

  /// `[batch, tokens, heads, size]`.
  private func heads(_ index: Int, _ count: Int) throws -> Tensor {
    let x = try tensor(index)
    return x.rank == 4
      ? x.permuted([0, 2, 1, 3])
      : x.reshaped([x.shape[0], x.shape[1], count, x.shape[2] / count])
  }

  /// Each head of the keys repeated for its group of the queries'.
  private func repeated(_ x: Tensor, _ heads: Int) -> Tensor {
    let (shape, group) = (x.shape, heads / x.shape[2])
    return x.reshaped([shape[0], shape[1], shape[2], 1, shape[3]])
      .broadcasted(to: [shape[0], shape[1], shape[2], group, shape[3]])
      .reshaped([shape[0], shape[1], heads, shape[3]])
  }

  /// The scores as they are, after the soft cap, with the mask, and as weights: `[batch, heads, queries, keys]`.
  private func scored(_ q: Tensor, _ k: Tensor, _ scale: Double, _ mask: Tensor?) -> [Tensor] {
    let raw =
      q.permuted([0, 2, 1, 3]).matmul(
        repeated(k, q.shape[2]).permuted([0, 2, 1, 3]), transposeB: true) * scale
    let capped = number("softcap").map { (raw / $0).tanh() * $0 } ?? raw
    let masked = mask.map { capped + $0 } ?? capped
    let largest = masked.max(axes: [-1], keepingDimensions: true)
    let isSeen = largest.greater(than: Tensor(-.infinity, dtype: masked.dtype))
    let weights = Tensor.selected(
      where: isSeen.broadcasted(to: masked.shape), masked.softmax(),
      else: Tensor(0, dtype: masked.dtype))
    return [raw, capped, masked, weights]
  }

  /// Mask, causality and the numbers of keys that are no padding, as what is added to `[batch, heads, queries, keys]`.
  private func wholeMask(_ q: Tensor, _ k: Tensor, past: Int) throws -> Tensor? {
    let (batch, queries, keys) = (q.shape[0], q.shape[1], k.shape[1])
    var whole: Tensor?
    if has(3) {
      var mask = try tensor(3).converted(to: q.dtype)
      if try value(3).isInteger {
        mask = .selected(
          where: mask, Tensor(0, dtype: q.dtype), else: Tensor(-.infinity, dtype: q.dtype))
      }
      whole = mask.padded(
        axis: -1, before: 0, after: keys - mask.shape[mask.rank - 1], value: -.infinity)
    }
    let causal = integer("is_causal", 0) == 1
    let lengths = has(6) ? try integers(6) : nil
    if causal || lengths != nil {
      let values = (0..<batch * queries * keys).map { index -> Double in
        let (b, i, j) = (index / (queries * keys), index / keys % queries, index % keys)
        let offset = lengths.map { $0[b] - queries } ?? past
        let isHidden = (causal && j > i + offset) || (lengths.map { j >= $0[b] } ?? false)
        return isHidden ? -.infinity : 0
      }
      let hidden = Tensor(values, shape: [batch, 1, queries, keys]).converted(to: q.dtype)
      whole = whole.map { $0 + hidden } ?? hidden
    }
    return whole
  }
}
