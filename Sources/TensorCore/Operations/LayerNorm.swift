import CTensorKernels

extension Tensor {
  /// Layer normalisation over the last axis, `x [..., channels]`:
  /// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`, with mean and (biased) variance of each row
  /// (Ba, Kiros and Hinton, "Layer Normalization", equation 3).
  ///
  /// - Parameters:
  ///   - weight: `[channels]`; `nil` for ones.
  ///   - bias: `[channels]`; `nil` for zeros.
  ///   - epsilon: added to the variance.
  public func layerNormalized(
    weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
  ) -> Tensor {
    let norm = RowNorm("layerNormalized", self, [weight, bias], centered: true, epsilon: epsilon)
    let (x, w) = (detached, weight?.detached ?? norm.constant(1))
    let b = bias?.detached ?? norm.constant(0)
    let operands = [self, weight ?? w, bias ?? b]
    return norm.forward(x, w, b).recorded(as: .layerNorm, from: operands) { gradient, needed in
      let (dx, dw, db) = norm.backward(x, w, gradient)
      return [needed[0] ? dx : nil, needed[1] ? dw : nil, needed[2] ? db : nil]
    }
  }
}

/// Normalisation of rows, with the mean taken off (layer norm) or not (RMS norm). Rows do not depend on each other, and
/// chunks of them are added in order where parameters get their gradients.
struct RowNorm {
  private let dtype: DType
  private let (rows, channels): (Int, Int)
  private let centered: Int32
  private let epsilon: Double
  private let chunk: Int

  init(
    _ operation: String, _ x: Tensor, _ parameters: [Tensor?], centered: Bool, epsilon: Double
  ) {
    require(x.rank >= 1, operation, "x is [..., channels], got a scalar")
    dtype = x.dtype
    channels = x.shape[x.rank - 1]
    rows = x.shape.dropLast().reduce(1, *)
    for parameter in parameters.compactMap({ $0 }) {
      require(
        parameter.shape == [channels] && parameter.dtype == dtype, operation,
        "weight and bias are \(dtype) [channels] for x \(x.shape), "
          + "got \(parameter.dtype) \(parameter.shape)")
    }
    self.centered = centered ? 1 : 0
    self.epsilon = epsilon
    chunk = max(1, Self.chunkBytes / max(1, channels * x.dtype.size))
  }

  private static let chunkBytes = 65536

  func constant(_ value: Double) -> Tensor {
    Tensor(repeating: value, shape: [channels], dtype: dtype)
  }

  func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    let result = Tensor(uninitialized: x.shape, dtype: dtype)
    let (type, row) = (dtype.kernelType, channels * dtype.size)
    let (source, target) = (x.readAddress, result.freshAddress)
    let (w, b) = (weight.readAddress, bias.readAddress)
    Backend.prepare()
    Parallel.ranges(rows, grain: chunk) { range in
      let start = range.lowerBound * row
      tk_row_norm(
        type, range.count, channels, centered, epsilon, w, b, source + start, target + start)
    }
    withExtendedLifetime((x, weight, bias)) {}
    return result
  }

  func backward(
    _ x: Tensor, _ weight: Tensor, _ gradient: Tensor
  ) -> (input: Tensor, weight: Tensor, bias: Tensor) {
    let result = Tensor(uninitialized: x.shape, dtype: dtype)
    let chunks = (rows + chunk - 1) / chunk
    let sums = Tensor(uninitialized: [chunks, 2, channels], dtype: dtype)
    let (type, row) = (dtype.kernelType, channels * dtype.size)
    let (source, upstream, w) = (x.readAddress, gradient.readAddress, weight.readAddress)
    let (target, s) = (result.freshAddress, sums.freshAddress)
    Backend.prepare()
    Parallel.ranges(rows, grain: chunk) { range in
      let start = range.lowerBound * row
      tk_row_norm_gradient(
        type, range.count, channels, centered, epsilon, w, source + start, upstream + start,
        target + start, s + range.lowerBound / chunk * 2 * row)
    }
    let total = Tensor(uninitialized: [2, channels], dtype: dtype)
    tk_sum_rows(type, chunks, 2 * channels, s, total.freshAddress)
    withExtendedLifetime((x, weight, gradient, sums)) {}
    return (result, total.row(0), total.row(1))
  }
}

extension Tensor {
  /// A copy of one row of `[rows, columns]`.
  fileprivate func row(_ index: Int) -> Tensor {
    let row = Tensor(uninitialized: [shape[1]], dtype: dtype)
    row.freshAddress.copyMemory(
      from: readAddress + index * row.byteCount, byteCount: row.byteCount)
    return row
  }
}
