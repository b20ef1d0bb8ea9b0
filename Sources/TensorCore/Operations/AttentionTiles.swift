import CTensorKernels

/// Attention cut into panels of queries or of keys, whose scores stay in the near caches (see `attention.inc`).
///
/// A query's or key's bytes do not depend on which others share its panel, nor on how panels are shared out.
struct AttentionTiles: Sendable {
  let shape: AttentionShape
  let dtype: DType
  /// `[batch, heads, queries, keys]`, all but the last of length 1 where it repeats.
  let mask: Tensor?
  let causal: Bool
  let scale: Double
  /// Whether both products are computed in bfloat16.
  let isInBFloat16: Bool

  /// - Parameter isRecorded: whether gradients will be asked for, which need the scores as float32 has them.
  init(
    shape: AttentionShape, dtype: DType, mask: Tensor?, causal: Bool, scale: Double,
    isRecorded: Bool
  ) {
    (self.shape, self.dtype, self.mask) = (shape, dtype, mask)
    (self.causal, self.scale) = (causal, scale)
    let most = Int(TK_MOST_BFLOAT_SIZE)
    isInBFloat16 =
      Backend.products == .bfloat16 && Backend.hasBFloat16 && dtype == .float32 && mask == nil
      && !causal && !isRecorded && shape.size.isMultiple(of: 2) && shape.size <= most
  }

  var type: TKType { dtype.kernelType }
  var bytes: Int { dtype.size }

  /// Where a head of `[batch, tokens, heads, size]` begins, in bytes.
  func offset(_ sample: Int, _ head: Int, of tensor: Tensor) -> Int {
    let (tokens, heads, size) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    return (sample * tokens * heads + head) * size * bytes
  }

  /// The key's head that serves one of the query's.
  func keyHead(_ head: Int) -> Int { head / (shape.heads / shape.keyHeads) }

  /// Where a head's queries begin in `[batch, heads, queries]`, in bytes.
  func queryOffset(_ sample: Int, _ head: Int) -> Int {
    (sample * shape.heads + head) * shape.queries * bytes
  }

  /// The result and the logarithm to base 2 of each query's sum, `[batch, heads, queries]`.
  func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor) -> (result: Tensor, logSums: Tensor) {
    let result = Tensor(
      uninitialized: [shape.batch, shape.queries, shape.heads, shape.valueSize], dtype: dtype)
    let logSums = Tensor(uninitialized: [shape.batch, shape.heads, shape.queries], dtype: dtype)
    if result.count == 0 { return (result, logSums) }
    let keys = AttentionStrips(k, .rows, inBFloat16: isInBFloat16)
    let values = AttentionStrips(v, .columns, inBFloat16: isInBFloat16)
    forEachPart(of: shape.queries, rows: shape.keys) { sample, head, part, scratch in
      var pass = pass(sample, head, lanesAreQueries: true)
      pass.row_strips = keys.address(sample, keyHead(head))
      pass.value_columns = values.address(sample, keyHead(head))
      pass.score_lanes = q.readAddress + offset(sample, head, of: q)
      pass.log_sums = logSums.freshAddress + queryOffset(sample, head)
      pass.value_out = result.freshAddress + offset(sample, head, of: result)
      if isInBFloat16 {
        tk_bfloat_attention(
          &pass, part.lowerBound, part.count, scratch.assumingMemoryBound(to: Float.self))
      } else {
        tk_attention(type, &pass, part.lowerBound, part.count, scratch)
      }
    }
    withExtendedLifetime((q, k, v, mask, keys, values)) {}
    return (result, logSums)
  }

  /// Calls `body` for every head of every sample with parts of `0..<lanes`, each worth a thread's while.
  func forEachPart(
    of lanes: Int, rows: Int,
    _ body: (_ sample: Int, _ head: Int, _ part: Range<Int>, _ scratch: UnsafeMutableRawPointer) ->
      Void
  ) {
    let width = PanelProduct.width(dtype)
    let work = rows * width * (shape.size + shape.valueSize)
    let part = width * Swift.max(1, Self.leastWork / Swift.max(1, work))
    let parts = (lanes + part - 1) / part
    var elements = 0
    tk_attention_scratch(type, shape.size, shape.valueSize, &elements)
    if isInBFloat16 {
      elements = Swift.max(elements, tk_bfloat_attention_scratch(shape.size, shape.valueSize))
    }
    Parallel.forEach(shape.batch * shape.heads * parts) { tile in
      let (place, first) = (tile / parts, tile % parts * part)
      StoragePool.shared.withScratch(elements * bytes) { scratch in
        body(
          place / shape.heads, place % shape.heads, first..<Swift.min(lanes, first + part), scratch)
      }
    }
  }

  /// Multiply-adds that a part is worth.
  private static let leastWork = 1 << 20

  /// What every pass over a head starts from: lengths, strides and the mask.
  func pass(_ sample: Int, _ head: Int, lanesAreQueries: Bool) -> TKAttention {
    var pass = TKAttention()
    pass.rows = lanesAreQueries ? shape.keys : shape.queries
    (pass.size, pass.value_size, pass.scale) = (shape.size, shape.valueSize, scale)
    (pass.causal, pass.lanes_are_queries) = (causal ? 1 : 0, lanesAreQueries ? 1 : 0)
    let laneHeads = lanesAreQueries ? shape.heads : shape.keyHeads
    (pass.score_stride, pass.value_stride) = (laneHeads * shape.size, laneHeads * shape.valueSize)
    // Results have a row a query's head even where keys serve several.
    pass.score_out_stride = shape.heads * shape.size
    pass.value_out_stride = shape.heads * shape.valueSize
    guard let mask else { return pass }
    let lengths = mask.shape
    let place = (lengths[0] == 1 ? 0 : sample) * lengths[1] + (lengths[1] == 1 ? 0 : head)
    pass.mask = mask.readAddress + place * lengths[2] * shape.keys * bytes
    let queryStride = lengths[2] == 1 ? 0 : shape.keys
    (pass.mask_row, pass.mask_lane) = lanesAreQueries ? (1, queryStride) : (queryStride, 1)
    return pass
  }
}

/// Every head of `[batch, tokens, heads, size]` packed once for all panels of lanes.
struct AttentionStrips {
  enum Direction {
    /// Strips of tokens `[strip, size, 12]`, for products over the size.
    case rows
    /// Strips of the size's elements `[strip, tokens, 12]`, for products over the tokens.
    case columns
  }

  private let strips: Tensor
  private let heads: Int
  private let length: Int

  init(_ tensor: Tensor, _ direction: Direction, inBFloat16: Bool = false) {
    Backend.prepare()
    let (tokens, heads, size) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    let (type, bytes) = (tensor.dtype.kernelType, tensor.dtype.size)
    var (count, depth) = direction == .rows ? (tokens, size) : (size, tokens)
    // Of pairs there are half as many.
    if inBFloat16 { depth = (depth + 1) / 2 }
    let length = (count + 11) / 12 * 12 * depth
    let strips = Tensor(uninitialized: [tensor.shape[0] * heads, length], dtype: tensor.dtype)
    let stride = heads * size
    Parallel.forEach(tensor.shape[0] * heads) { place in
      let start = (place / heads * tokens * heads + place % heads) * size
      if inBFloat16 {
        tk_bfloat_strips(
          tokens, size, stride,
          (tensor.readAddress + start * bytes).assumingMemoryBound(to: Float.self),
          direction == .rows ? 1 : 0,
          (strips.freshAddress + place * length * bytes).assumingMemoryBound(to: Float.self))
        return
      }
      let (step, row) = direction == .rows ? (1, stride) : (stride, 1)
      tk_gemm_strips(
        type, depth, count, tensor.readAddress + start * bytes, step, row,
        strips.freshAddress + place * length * bytes)
    }
    withExtendedLifetime(tensor) {}
    (self.strips, self.heads, self.length) = (strips, heads, length)
  }

  func address(_ sample: Int, _ head: Int) -> UnsafeRawPointer {
    strips.readAddress + (sample * heads + head) * length * strips.dtype.size
  }
}
