import CTensorKernels

/// Which keys a query may see. Shapes broadcast to `[batch, heads, queries, keys]`; a mask gets no gradient.
public enum AttentionMask: Sendable {
  /// Added to the scaled scores; minus infinity hides a key.
  case added(Tensor)
  /// A key is seen where this is not 0.
  case allowed(Tensor)

  /// As what is added, with the last axis written out.
  func additive(_ shape: AttentionShape, _ dtype: DType) -> Tensor {
    let mask =
      switch self {
      case .added(let mask): mask.detached.converted(to: dtype)
      case .allowed(let mask):
        Tensor.selected(
          where: mask.detached.converted(to: dtype), Tensor(0, dtype: dtype),
          else: Tensor(-.infinity, dtype: dtype))
      }
    let full = [shape.batch, shape.heads, shape.queries, shape.keys]
    let padded = Array(repeating: 1, count: Swift.max(0, 4 - mask.rank)) + mask.shape
    require(
      padded.count == 4 && zip(padded, full).allSatisfy { $0 == $1 || $0 == 1 }, "attention",
      "a mask of shape \(mask.shape) does not broadcast to [batch, heads, queries, keys] = \(full)")
    return mask.viewed(as: padded).broadcasted(to: padded.dropLast() + [shape.keys])
  }
}

extension Tensor {
  /// Scaled dot-product attention (Vaswani et al. 2017, equation 1), `softmax(scale Q K^T + mask) V`, head by head.
  ///
  /// The scores are computed block by block with running maxima (Milakov and Gimelshein 2018) and never stored
  /// whole; the pullback computes them again. A sample has the same bytes in any batch and for any threads. A query
  /// that sees no key gives zeros.
  ///
  /// - Parameters:
  ///   - query: `[batch, queries, heads, size]`.
  ///   - key: `[batch, keys, heads, size]`; its heads may be a divisor of the query's, each then serves a group.
  ///   - value: `[batch, keys, heads, valueSize]`, heads as the key's.
  ///   - mask: what hides keys, besides `causal`.
  ///   - causal: whether query `i` sees keys `0...i` only.
  ///   - scale: `1 / sqrt(size)` where it is left out.
  /// - Returns: `[batch, queries, heads, valueSize]`.
  public static func attention(
    query: Tensor, key: Tensor, value: Tensor, mask: AttentionMask? = nil, causal: Bool = false,
    scale: Double? = nil
  ) -> Tensor {
    let (q, k, v) = (query.detached, key.detached, value.detached)
    let shape = AttentionShape(q, k, v)
    let tiles = AttentionTiles(
      shape: shape, dtype: q.dtype, mask: mask?.additive(shape, q.dtype), causal: causal,
      scale: scale ?? 1 / Double(shape.size).squareRoot(),
      isRecorded: [query, key, value].contains { $0.origin != nil })
    let (result, logSums) = tiles.forward(q, k, v)
    return result.recorded(as: .attention, from: [query, key, value]) { gradient, needed in
      tiles.backward(gradient, q, k, v, result, logSums, needed)
    }
  }

  /// Attention where heads stand side by side in the last axis: `[batch, tokens, heads * size]`.
  ///
  /// - Returns: `[batch, queries, heads * valueSize]`.
  public static func attention(
    query: Tensor, key: Tensor, value: Tensor, heads: Int, mask: AttentionMask? = nil,
    causal: Bool = false, scale: Double? = nil
  ) -> Tensor {
    func split(_ tensor: Tensor, _ name: String) -> Tensor {
      require(
        tensor.rank == 3 && heads > 0 && tensor.shape[2] % heads == 0, "attention",
        "\(name) \(tensor.shape) must be [batch, tokens, heads * size] with \(heads) heads")
      return tensor.reshaped(tensor.shape.dropLast() + [heads, tensor.shape[2] / heads])
    }
    let result = attention(
      query: split(query, "query"), key: split(key, "key"), value: split(value, "value"),
      mask: mask, causal: causal, scale: scale)
    return result.reshaped([result.shape[0], result.shape[1], -1])
  }
}

/// The lengths that an attention works with.
struct AttentionShape: Sendable {
  let batch: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let keyHeads: Int
  let size: Int
  let valueSize: Int

  init(_ query: Tensor, _ key: Tensor, _ value: Tensor) {
    require(
      query.rank == 4 && key.rank == 4 && value.rank == 4, "attention",
      "query \(query.shape), key \(key.shape) and value \(value.shape) must be "
        + "[batch, tokens, heads, size]")
    (batch, queries, heads) = (query.shape[0], query.shape[1], query.shape[2])
    (keys, keyHeads, size) = (key.shape[1], key.shape[2], key.shape[3])
    valueSize = value.shape[3]
    require(
      key.shape[0] == batch && Array(value.shape.dropLast()) == Array(key.shape.dropLast())
        && size == query.shape[3] && keyHeads > 0 && heads % keyHeads == 0 && keys > 0
        && size > 0, "attention",
      "query \(query.shape), key \(key.shape) and value \(value.shape) do not fit: expected "
        + "[batch, queries, heads, size], [batch, keys, heads, size], "
        + "[batch, keys, heads, valueSize]")
    require(
      query.dtype == key.dtype && key.dtype == value.dtype, "attention",
      "query is \(query.dtype), key \(key.dtype), value \(value.dtype): convert")
  }
}
