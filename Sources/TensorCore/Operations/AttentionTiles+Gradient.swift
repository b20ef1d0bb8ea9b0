import CTensorKernels

/// What the passes back read.
private struct AttentionOperands {
  let gradient: Tensor
  let q: Tensor
  let k: Tensor
  let v: Tensor
  /// Each query's scalar product of the result and its gradient, `[batch, heads, queries]`.
  let inner: Tensor
  let logSums: Tensor
}

extension AttentionTiles {
  /// The gradients of query, key and value where they are needed.
  ///
  /// One pass over panels of queries gives the query's, one over panels of keys the others': each computes the weights
  /// again, so no two threads ever add to one place.
  func backward(
    _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ result: Tensor,
    _ logSums: Tensor, _ needed: [Bool]
  ) -> [Tensor?] {
    let operands = AttentionOperands(
      gradient: gradient, q: q, k: k, v: v, inner: innerProducts(gradient, result),
      logSums: logSums)
    let ofKeys = needed[1] || needed[2] ? keyGradients(operands, needed[1], needed[2]) : (nil, nil)
    return [needed[0] ? queryGradient(operands) : nil, ofKeys.0, ofKeys.1]
  }

  private func innerProducts(_ gradient: Tensor, _ result: Tensor) -> Tensor {
    let inner = Tensor(uninitialized: [shape.batch, shape.heads, shape.queries], dtype: dtype)
    let stride = shape.heads * shape.valueSize
    Parallel.forEach(shape.batch * shape.heads) { tile in
      let (sample, head) = (tile / shape.heads, tile % shape.heads)
      let start = offset(sample, head, of: result)
      tk_row_dots(
        type, shape.queries, shape.valueSize, stride, gradient.readAddress + start,
        result.readAddress + start, inner.freshAddress + queryOffset(sample, head))
    }
    withExtendedLifetime((gradient, result)) {}
    return inner
  }

  private func queryGradient(_ x: AttentionOperands) -> Tensor {
    let dq = Tensor(uninitialized: x.q.shape, dtype: dtype)
    let (keys, values) = (AttentionStrips(x.k, .rows), AttentionStrips(x.v, .rows))
    let columns = AttentionStrips(x.k, .columns)
    forEachPart(of: shape.queries, rows: shape.keys) { sample, head, part, scratch in
      var pass = gradientPass(sample, head, lanesAreQueries: true, x)
      pass.row_strips = keys.address(sample, keyHead(head))
      pass.value_strips = values.address(sample, keyHead(head))
      pass.row_columns = columns.address(sample, keyHead(head))
      pass.score_lanes = x.q.readAddress + offset(sample, head, of: x.q)
      pass.value_lanes = x.gradient.readAddress + offset(sample, head, of: x.gradient)
      pass.score_out = dq.freshAddress + offset(sample, head, of: dq)
      tk_attention_gradient(type, &pass, part.lowerBound, part.count, scratch)
    }
    withExtendedLifetime((x, keys, values, columns)) {}
    return dq
  }

  private func keyGradients(
    _ x: AttentionOperands, _ needsKey: Bool, _ needsValue: Bool
  ) -> (Tensor?, Tensor?) {
    let tokens = [shape.batch, shape.keys, shape.heads]
    let dk = needsKey ? Tensor(uninitialized: tokens + [shape.size], dtype: dtype) : nil
    let dv = needsValue ? Tensor(uninitialized: tokens + [shape.valueSize], dtype: dtype) : nil
    let (queries, seeds) = (AttentionStrips(x.q, .rows), AttentionStrips(x.gradient, .rows))
    let queryColumns = needsKey ? AttentionStrips(x.q, .columns) : nil
    let seedColumns = needsValue ? AttentionStrips(x.gradient, .columns) : nil
    forEachPart(of: shape.keys, rows: shape.queries) { sample, head, part, scratch in
      var pass = gradientPass(sample, head, lanesAreQueries: false, x)
      pass.row_strips = queries.address(sample, head)
      pass.value_strips = seeds.address(sample, head)
      pass.row_columns = queryColumns?.address(sample, head)
      pass.value_columns = seedColumns?.address(sample, head)
      pass.score_lanes = x.k.readAddress + offset(sample, keyHead(head), of: x.k)
      pass.value_lanes = x.v.readAddress + offset(sample, keyHead(head), of: x.v)
      pass.score_out = dk.map { $0.freshAddress + offset(sample, head, of: $0) }
      pass.value_out = dv.map { $0.freshAddress + offset(sample, head, of: $0) }
      tk_attention_gradient(type, &pass, part.lowerBound, part.count, scratch)
    }
    withExtendedLifetime((x, queries, seeds, queryColumns, seedColumns)) {}
    return (dk.map(summedOverGroups), dv.map(summedOverGroups))
  }

  private func gradientPass(
    _ sample: Int, _ head: Int, lanesAreQueries: Bool, _ x: AttentionOperands
  ) -> TKAttention {
    var pass = pass(sample, head, lanesAreQueries: lanesAreQueries)
    // Only read here.
    pass.log_sums =
      UnsafeMutableRawPointer(mutating: x.logSums.readAddress)
      + queryOffset(sample, head)
    pass.inner = x.inner.readAddress + queryOffset(sample, head)
    return pass
  }

  /// `[batch, keys, heads, size]` to the key's own heads.
  private func summedOverGroups(_ tensor: Tensor) -> Tensor {
    let group = shape.heads / shape.keyHeads
    if group == 1 { return tensor }
    return tensor.reshaped([shape.batch, shape.keys, shape.keyHeads, group, tensor.shape[3]])
      .sum(axes: [3])
  }
}
