import CTensorKernels

/// What the pass back reads and writes.
private struct AttentionPass {
  let gradient: Tensor
  let q: Tensor
  let k: Tensor
  let v: Tensor
  /// Each query's scalar product of the result and its gradient, `[batch, heads, queries]`.
  let inner: Tensor
  let logSums: Tensor
  let dq: Tensor?
  let dk: Tensor?
  let dv: Tensor?
}

extension AttentionTiles {
  /// The gradients of query, key and value where they are needed.
  func backward(
    _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ result: Tensor,
    _ logSums: Tensor, _ needed: [Bool]
  ) -> [Tensor?] {
    let pass = AttentionPass(
      gradient: gradient, q: q, k: k, v: v, inner: innerProducts(gradient, result),
      logSums: logSums, dq: needed[0] ? .zeros(q.shape, dtype: dtype) : nil,
      dk: needed[1] ? .zeros(k.shape, dtype: dtype) : nil,
      dv: needed[2] ? .zeros(v.shape, dtype: dtype) : nil)
    let group = shape.heads / shape.keyHeads
    Parallel.forEach(shape.batch * shape.keyHeads) { tile in
      let (sample, keyHead) = (tile / shape.keyHeads, tile % shape.keyHeads)
      for head in keyHead * group..<(keyHead + 1) * group { backward(sample, head, pass) }
    }
    withExtendedLifetime(pass) {}
    return [pass.dq, pass.dk, pass.dv]
  }

  private func innerProducts(_ gradient: Tensor, _ result: Tensor) -> Tensor {
    let inner = Tensor(uninitialized: [shape.batch, shape.heads, shape.queries], dtype: dtype)
    let stride = shape.heads * shape.valueSize
    Parallel.forEach(shape.batch * shape.heads) { tile in
      let (sample, head) = (tile / shape.heads, tile % shape.heads)
      let start = offset(sample, 0, head, of: result)
      tk_row_dots(
        type, shape.queries, shape.valueSize, stride, gradient.readAddress + start,
        result.readAddress + start,
        inner.freshAddress + logSumOffset(sample, head, 0..<shape.queries))
    }
    withExtendedLifetime((gradient, result)) {}
    return inner
  }

  /// One head of one sample: all blocks of keys, for each all blocks of queries that see it.
  private func backward(_ sample: Int, _ head: Int, _ pass: AttentionPass) {
    let block = min(queryBlock, 128)
    let weights = Tensor(uninitialized: [block, keyBlock], dtype: dtype)
    let slopes = Tensor(uninitialized: [block, keyBlock], dtype: dtype)
    for keys in blocks(shape.keys, keyBlock) {
      for queries in blocks(shape.queries, block) where sees(queries, keys) {
        fill(weights, slopes, sample, head, queries, keys, pass)
        accumulate(weights, slopes, sample, head, queries, keys, pass)
      }
    }
  }

  /// The weights of a block and the gradient of its scores.
  private func fill(
    _ weights: Tensor, _ slopes: Tensor, _ sample: Int, _ head: Int, _ queries: Range<Int>,
    _ keys: Range<Int>, _ pass: AttentionPass
  ) {
    score(sample, head, queries, keys, pass.q, pass.k, into: weights.freshAddress)
    BLAS.gemm(
      dtype, transposeB: true, m: queries.count, n: keys.count, k: shape.valueSize,
      a: pass.gradient.readAddress + offset(sample, queries.lowerBound, head, of: pass.gradient),
      strideA: shape.heads * shape.valueSize,
      b: pass.v.readAddress + offset(sample, keys.lowerBound, keyHead(head), of: pass.v),
      strideB: shape.keyHeads * shape.valueSize, c: slopes.freshAddress, strideC: keys.count)
    let place = logSumOffset(sample, head, queries)
    tk_attention_slopes(
      type, queries.count, keys.count, causal ? 1 : 0,
      queries.lowerBound + 1 - keys.lowerBound, weights.freshAddress, slopes.freshAddress,
      pass.logSums.readAddress + place, pass.inner.readAddress + place)
  }

  private func accumulate(
    _ weights: Tensor, _ slopes: Tensor, _ sample: Int, _ head: Int, _ queries: Range<Int>,
    _ keys: Range<Int>, _ pass: AttentionPass
  ) {
    let (queryStride, keyStride) = (shape.heads * shape.size, shape.keyHeads * shape.size)
    if let dv = pass.dv {
      let start = offset(sample, queries.lowerBound, head, of: pass.gradient)
      BLAS.gemm(
        dtype, transposeA: true, m: keys.count, n: shape.valueSize, k: queries.count,
        a: weights.readAddress, strideA: keys.count, b: pass.gradient.readAddress + start,
        strideB: shape.heads * shape.valueSize, beta: 1,
        c: dv.freshAddress + offset(sample, keys.lowerBound, keyHead(head), of: dv),
        strideC: shape.keyHeads * shape.valueSize)
    }
    let queryStart = offset(sample, queries.lowerBound, head, of: pass.q)
    let keyStart = offset(sample, keys.lowerBound, keyHead(head), of: pass.k)
    if let dk = pass.dk {
      BLAS.gemm(
        dtype, transposeA: true, m: keys.count, n: shape.size, k: queries.count, alpha: scale,
        a: slopes.readAddress, strideA: keys.count, b: pass.q.readAddress + queryStart,
        strideB: queryStride, beta: 1, c: dk.freshAddress + keyStart, strideC: keyStride)
    }
    if let dq = pass.dq {
      BLAS.gemm(
        dtype, m: queries.count, n: shape.size, k: keys.count, alpha: scale,
        a: slopes.readAddress, strideA: keys.count, b: pass.k.readAddress + keyStart,
        strideB: keyStride, beta: 1, c: dq.freshAddress + queryStart, strideC: queryStride)
    }
  }
}
