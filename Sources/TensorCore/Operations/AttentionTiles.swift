import CTensorKernels

/// Attention cut into blocks of queries and keys whose scores stay in the cache.
///
/// The cut depends on the lengths alone. See Dao et al. 2022 for the pass back from the saved sums.
struct AttentionTiles: Sendable {
  let shape: AttentionShape
  let dtype: DType
  /// `[batch, heads, queries, keys]`, all but the last of length 1 where it repeats.
  let mask: Tensor?
  let causal: Bool
  let scale: Double

  private static let scores = 65536
  private static let mostKeys = 512

  var type: TKType { dtype.kernelType }
  var bytes: Int { dtype.size }

  /// Keys a block has: as equal as can be, at most 512.
  var keyBlock: Int {
    let blocks = (shape.keys + Self.mostKeys - 1) / Self.mostKeys
    return (shape.keys + blocks - 1) / blocks
  }

  /// Queries a block has: as many as keep the scores at a quarter of a megabyte in float32.
  var queryBlock: Int { min(shape.queries, max(64, min(512, Self.scores / keyBlock))) }

  /// Ranges of `block` that make up `0..<count`.
  func blocks(_ count: Int, _ block: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: max(1, block)).map { $0..<min(count, $0 + block) }
  }

  /// Where a block of one head of `[batch, tokens, heads, size]` begins, in bytes.
  func offset(_ sample: Int, _ token: Int, _ head: Int, of tensor: Tensor) -> Int {
    let (tokens, heads, size) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    return ((sample * tokens + token) * heads + head) * size * bytes
  }

  /// The result and the logarithm of each query's sum, `[batch, heads, queries]`.
  func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor) -> (result: Tensor, logSums: Tensor) {
    let result = Tensor(
      uninitialized: [shape.batch, shape.queries, shape.heads, shape.valueSize], dtype: dtype)
    let logSums = Tensor(
      uninitialized: [shape.batch, shape.heads, shape.queries], dtype: dtype)
    if result.count == 0 { return (result, logSums) }
    let queryBlocks = blocks(shape.queries, queryBlock)
    Backend.prepare()
    Parallel.forEach(shape.batch * shape.heads * queryBlocks.count) { tile in
      let place = tile / queryBlocks.count
      forward(
        sample: place / shape.heads, head: place % shape.heads,
        queryBlocks[tile % queryBlocks.count], q, k, v, result, logSums)
    }
    withExtendedLifetime((q, k, v)) {}
    return (result, logSums)
  }

  private func forward(
    sample: Int, head: Int, _ queries: Range<Int>, _ q: Tensor, _ k: Tensor, _ v: Tensor,
    _ result: Tensor, _ logSums: Tensor
  ) {
    let rows = queries.count
    let scores = Tensor(uninitialized: [rows, keyBlock], dtype: dtype)
    let maxima = Tensor(repeating: -.infinity, shape: [rows], dtype: dtype)
    let sums = Tensor.zeros([rows], dtype: dtype)
    let out = result.freshAddress + offset(sample, queries.lowerBound, head, of: result)
    let stride = shape.heads * shape.valueSize
    for keys in blocks(shape.keys, keyBlock) where sees(queries, keys) {
      let isFirst = keys.lowerBound == 0
      score(sample, head, queries, keys, q, k, into: scores.freshAddress)
      tk_attention_weights(
        type, rows, keys.count, causal ? 1 : 0, queries.lowerBound + 1 - keys.lowerBound,
        scores.freshAddress, maxima.freshAddress, sums.freshAddress, isFirst ? 0 : 1,
        shape.valueSize, out, stride)
      BLAS.gemm(
        dtype, m: rows, n: shape.valueSize, k: keys.count,
        a: scores.readAddress, strideA: keys.count,
        b: v.readAddress + offset(sample, keys.lowerBound, keyHead(head), of: v),
        strideB: shape.keyHeads * shape.valueSize,
        beta: isFirst ? 0 : 1, c: out, strideC: stride)
    }
    tk_attention_finish(
      type, rows, maxima.readAddress, sums.readAddress, shape.valueSize, out, stride,
      logSums.freshAddress + logSumOffset(sample, head, queries))
    withExtendedLifetime((scores, maxima, sums)) {}
  }

  /// The key's head that serves one of the query's.
  func keyHead(_ head: Int) -> Int { head / (shape.heads / shape.keyHeads) }

  /// Whether any of these queries sees any of these keys.
  func sees(_ queries: Range<Int>, _ keys: Range<Int>) -> Bool {
    !causal || keys.lowerBound < queries.upperBound
  }

  func logSumOffset(_ sample: Int, _ head: Int, _ queries: Range<Int>) -> Int {
    ((sample * shape.heads + head) * shape.queries + queries.lowerBound) * bytes
  }

  /// The masked scores of a block, `[queries, keys]`.
  func score(
    _ sample: Int, _ head: Int, _ queries: Range<Int>, _ keys: Range<Int>, _ q: Tensor,
    _ k: Tensor, into scores: UnsafeMutableRawPointer
  ) {
    BLAS.gemm(
      dtype, transposeB: true, m: queries.count, n: keys.count, k: shape.size, alpha: scale,
      a: q.readAddress + offset(sample, queries.lowerBound, head, of: q),
      strideA: shape.heads * shape.size,
      b: k.readAddress + offset(sample, keys.lowerBound, keyHead(head), of: k),
      strideB: shape.keyHeads * shape.size, c: scores, strideC: keys.count)
    guard let mask else { return }
    let lengths = mask.shape
    for (row, query) in queries.enumerated() {
      let place = [sample, head, query].enumerated().reduce(0) { place, next in
        place * lengths[next.offset] + (lengths[next.offset] == 1 ? 0 : next.element)
      }
      tk_axpy(
        type, keys.count, 1, mask.readAddress + (place * shape.keys + keys.lowerBound) * bytes,
        scores + row * keys.count * bytes)
    }
  }
}
