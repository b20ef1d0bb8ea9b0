import CTensorKernels

extension Tensor {
  /// Group normalisation over channels that lie last, `x [batch, ..., channels]`:
  /// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`, with mean and (biased) variance over everything of
  /// one sample that belongs to one group of `channels / groups` adjacent channels
  /// (Wu and He, "Group Normalization", equations 1 to 3).
  ///
  /// - Parameters:
  ///   - groups: how many groups; a divisor of `channels`. 1 is layer normalisation over all of a sample,
  ///     `channels` is instance normalisation.
  ///   - weight: `[channels]`, or `[batch, channels]` for a scale of each sample's own; `nil` for ones.
  ///   - bias: of `weight`'s shape; `nil` for zeros.
  ///   - epsilon: added to the variance.
  ///   - thenSiLU: whether `y * sigmoid(y)` is given in place of `y`, in the same pass.
  public func groupNormalized(
    groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5,
    thenSiLU: Bool = false
  ) -> Tensor {
    let x = detached
    let channels = shape.last ?? 0
    let affine = weight?.shape ?? bias?.shape ?? [channels]
    let w = weight?.detached ?? .ones(affine, dtype: dtype)
    let b = bias?.detached ?? .zeros(affine, dtype: dtype)
    let norm = GroupNorm(x, groups: groups, weight: w, bias: b, thenSiLU: thenSiLU)
    let (result, state) = norm.forward(x, weight: w, bias: b, epsilon: epsilon)
    let operands = [self, weight ?? w, bias ?? b]
    return result.recorded(as: .groupNorm, from: operands) { gradient, needed in
      let (dx, dw, db) = norm.backward(x, gradient, state, needsInput: needed[0])
      return [dx, needed[1] ? dw : nil, needed[2] ? db : nil]
    }
  }
}

/// The shapes of one group normalisation and how it is cut: chunks of rows that a core's cache holds, never across
/// samples. A chunk's moments are joined in the chunks' order, so how chunks are handed out changes no bit.
private struct GroupNorm {
  /// What the backward pass needs of the forward one.
  struct State {
    /// `[batch, groups, 2]` in float64: mean and 1 / deviation.
    let statistics: Tensor
    /// `[batch, 3, channels]`: m, a and b of `y = (x - m) a + b`.
    let table: Tensor
  }

  let dtype: DType
  let (batch, rows, channels, groups): (Int, Int, Int, Int)
  let chunk: Int
  let isPerSample: Bool
  let silu: Int32

  init(_ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, thenSiLU: Bool) {
    require(
      x.rank >= 2, "groupNormalized", "x is [batch, ..., channels], got \(x.shape)")
    dtype = x.dtype
    batch = x.shape[0]
    channels = x.shape[x.rank - 1]
    rows = x.shape[1..<(x.rank - 1)].reduce(1, *)
    self.groups = groups
    require(
      groups > 0 && channels % groups == 0, "groupNormalized",
      "\(channels) channels (x \(x.shape)) do not divide into \(groups) groups")
    isPerSample = weight.rank == 2
    let affine = isPerSample ? [batch, channels] : [channels]
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
      require(
        tensor.shape == affine && tensor.dtype == dtype, "groupNormalized",
        "\(name) is \(dtype) [channels] or [batch, channels] for x \(x.shape), "
          + "got \(tensor.dtype) \(tensor.shape)")
    }
    chunk = max(4, Self.chunkBytes / max(1, channels * x.dtype.size))
    silu = thenSiLU ? 1 : 0
  }

  /// What a core's second cache holds of x, of a gradient and of the result.
  private static let chunkBytes = 65536

  var chunks: Int { max(1, (rows + chunk - 1) / chunk) }

  /// Calls `first` for all chunks of a sample, then `join` for the sample, then `last` for its chunks: whole samples
  /// side by side where they are many and small, else chunk by chunk.
  private func run(
    _ first: (_ sample: Int, _ chunk: Int) -> Void, _ join: (_ sample: Int) -> Void,
    _ last: (_ sample: Int, _ chunk: Int) -> Void
  ) {
    Backend.prepare()
    if chunks == 1 || (batch >= 8 && chunks <= 8) {
      Parallel.forEach(batch) { sample in
        for chunk in 0..<chunks { first(sample, chunk) }
        join(sample)
        for chunk in 0..<chunks { last(sample, chunk) }
      }
    } else {
      Parallel.forEach(batch * chunks) { first($0 / chunks, $0 % chunks) }
      for sample in 0..<batch { join(sample) }
      Parallel.forEach(batch * chunks) { last($0 / chunks, $0 % chunks) }
    }
  }

  /// Where a chunk's rows begin in bytes, and how many they are.
  private func part(_ sample: Int, _ index: Int) -> (offset: Int, rows: Int) {
    let start = index * chunk
    return ((sample * rows + start) * channels * dtype.size, min(chunk, rows - start))
  }

  func forward(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double
  ) -> (result: Tensor, state: State) {
    let result = Tensor(uninitialized: x.shape, dtype: dtype)
    let moments = Tensor(uninitialized: [batch, chunks, groups, 2], dtype: .float64)
    let scratch = Tensor(uninitialized: [batch, chunks, 2, channels], dtype: dtype)
    let state = State(
      statistics: Tensor(uninitialized: [batch, groups, 2], dtype: .float64),
      table: Tensor(uninitialized: [batch, 3, channels], dtype: dtype))
    if result.count == 0 { return (result, state) }
    let (type, row) = (dtype.kernelType, channels * dtype.size)
    let (source, target) = (x.readAddress, result.freshAddress)
    let (table, statistics) = (state.table.freshAddress, state.statistics.freshAddress)
    let (w, b) = (weight.readAddress, bias.readAddress)
    let (m, s) = (moments.freshAddress, scratch.freshAddress)
    run { sample, index in
      let (offset, count) = part(sample, index)
      let slot = sample * chunks + index
      tk_group_moments(
        type, count, channels, groups, source + offset, s + slot * 2 * row,
        (m + slot * groups * 16).assumingMemoryBound(to: Double.self))
    } _: { sample in
      let own = isPerSample ? sample * row : 0
      tk_group_coefficients(
        type, rows, chunk, channels, groups, epsilon,
        (m + sample * chunks * groups * 16).assumingMemoryBound(to: Double.self), w + own, b + own,
        (statistics + sample * groups * 16).assumingMemoryBound(to: Double.self),
        table + sample * 3 * row)
    } _: { sample, index in
      let (offset, count) = part(sample, index)
      tk_group_apply(
        type, count, channels, silu, table + sample * 3 * row, source + offset, target + offset)
    }
    withExtendedLifetime((x, weight, bias, moments, scratch)) {}
    return (result, state)
  }

  func backward(
    _ x: Tensor, _ gradient: Tensor, _ state: State, needsInput: Bool
  ) -> (input: Tensor?, weight: Tensor, bias: Tensor) {
    let result = needsInput ? Tensor(uninitialized: x.shape, dtype: dtype) : nil
    let dw = Tensor(uninitialized: [batch, channels], dtype: dtype)
    let db = Tensor(uninitialized: [batch, channels], dtype: dtype)
    let sums = Tensor(uninitialized: [batch, chunks, 2, channels], dtype: dtype)
    let slopes = Tensor(uninitialized: [batch, 2, channels], dtype: dtype)
    if x.count == 0 { return (result, summed(dw), summed(db)) }
    let (type, row) = (dtype.kernelType, channels * dtype.size)
    let (source, upstream) = (x.readAddress, gradient.readAddress)
    let (table, statistics) = (state.table.readAddress, state.statistics.readAddress)
    let (s, q) = (sums.freshAddress, slopes.freshAddress)
    let (w, b, target) = (dw.freshAddress, db.freshAddress, result?.freshAddress)
    run { sample, index in
      let (offset, count) = part(sample, index)
      tk_group_gradient_sums(
        type, count, channels, silu, table + sample * 3 * row, source + offset, upstream + offset,
        s + (sample * chunks + index) * 2 * row)
    } _: { sample in
      tk_group_gradient_coefficients(
        type, rows, chunks, channels, groups,
        (statistics + sample * groups * 16).assumingMemoryBound(to: Double.self),
        table + sample * 3 * row, s + sample * chunks * 2 * row, w + sample * row,
        b + sample * row, q + sample * 2 * row)
    } _: { sample, index in
      guard let target else { return }
      let (offset, count) = part(sample, index)
      tk_group_gradient(
        type, count, channels, silu, table + sample * 3 * row, q + sample * 2 * row,
        source + offset, upstream + offset, target + offset)
    }
    withExtendedLifetime((x, gradient, state, sums, slopes)) {}
    return (result, summed(dw), summed(db))
  }

  /// A gradient of each sample's own as that of the parameter: added over the batch where it is shared.
  private func summed(_ gradient: Tensor) -> Tensor {
    isPerSample ? gradient : gradient.summedRows()
  }
}

extension Tensor {
  /// The sum over the rows of `[rows, columns]`, in order.
  fileprivate func summedRows() -> Tensor {
    let sum = Tensor(uninitialized: [shape[1]], dtype: dtype)
    Backend.prepare()
    tk_sum_rows(dtype.kernelType, shape[0], shape[1], readAddress, sum.freshAddress)
    return sum
  }
}
