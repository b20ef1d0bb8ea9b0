import CTensorKernels

// Reductions over any axes. `axes: nil` is all of them; negative axes count from the last.

extension Tensor {
  /// The sum over `axes`.
  public func sum(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let x = detached
    let reduced = ReducedAxes(of: x, axes, "sum")
    let total = x.reduced(over: reduced, tk_sum_rows)
    return total.viewed(as: keepingDimensions ? reduced.kept : reduced.dropped)
      .recorded(as: .sum, from: [self]) { gradient, _ in
        [gradient.reshaped(reduced.kept).broadcasted(to: x.shape)]
      }
  }

  /// The mean over `axes`.
  public func mean(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let reduced = ReducedAxes(of: self, axes, "mean")
    return sum(axes: axes, keepingDimensions: keepingDimensions) / Double(reduced.count)
  }

  /// The largest element over `axes`; equal ones share the gradient.
  public func max(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let x = detached
    let reduced = ReducedAxes(of: x, axes, "max")
    require(reduced.count > 0, "max", "an empty axis has no largest element, shape \(shape)")
    let largest = x.reduced(over: reduced, tk_max_rows)
    return largest.viewed(as: keepingDimensions ? reduced.kept : reduced.dropped)
      .recorded(as: .max, from: [self]) { gradient, _ in
        let winners = x.equals(largest.viewed(as: reduced.kept))
        let ties = winners.sum(axes: reduced.axes, keepingDimensions: true)
        return [winners * (gradient.reshaped(reduced.kept) / ties)]
      }
  }

  /// The variance over `axes`: the mean squared distance to the mean, divided by `n - correction`.
  public func variance(
    axes: [Int]? = nil, keepingDimensions: Bool = false, correction: Double = 0
  ) -> Tensor {
    let reduced = ReducedAxes(of: self, axes, "variance")
    let distance = self - mean(axes: axes, keepingDimensions: true)
    return (distance * distance).sum(axes: axes, keepingDimensions: keepingDimensions)
      / (Double(reduced.count) - correction)
  }

  /// `log(sum(e^x))` over `axes`, taken about the largest element so that nothing overflows.
  public func logSumExp(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let reduced = ReducedAxes(of: self, axes, "logSumExp")
    let largest = detached.max(axes: axes, keepingDimensions: true)
      .clamped(-.greatestFiniteMagnitude, .greatestFiniteMagnitude)
    let total = (self - largest).exp().sum(axes: axes, keepingDimensions: true).log() + largest
    return keepingDimensions ? total : total.reshaped(reduced.dropped)
  }

  /// Reduces run by run of adjacent axes, innermost first, with a kernel for one block of rows.
  private func reduced(
    over reduced: ReducedAxes,
    _ kernel: (TKType, Int, Int, UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Void
  ) -> Tensor {
    Backend.prepare()
    var result = self
    for run in reduced.runs.reversed() {
      result = result.reduced(outer: run.outer, rows: run.rows, inner: run.inner, kernel)
    }
    return result
  }

  /// Reduces the middle of `[outer, rows, inner]`: blocks of rows in parallel, then the blocks' results.
  private func reduced(
    outer: Int, rows: Int, inner: Int,
    _ kernel: (TKType, Int, Int, UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Void
  ) -> Tensor {
    let result = Tensor(uninitialized: [outer, inner], dtype: dtype)
    if rows == 0 { return Tensor.zeros([outer, inner], dtype: dtype) }
    let (type, size, source) = (dtype.kernelType, dtype.size, readAddress)
    let block = Swift.min(rows, Swift.max(16, Parallel.elementGrain / Swift.max(1, inner)))
    let blocks = (rows + block - 1) / block
    let partial =
      blocks == 1 ? result : Tensor(uninitialized: [outer, blocks, inner], dtype: dtype)
    let target = partial.freshAddress
    let grain = Swift.max(1, Parallel.elementGrain / Swift.max(1, block * inner))
    Parallel.ranges(outer * blocks, grain: grain) { range in
      for index in range {
        let (o, b) = (index / blocks, index % blocks)
        let first = b * block
        kernel(
          type, Swift.min(block, rows - first), inner,
          source + (o * rows + first) * inner * size, target + index * inner * size)
      }
    }
    withExtendedLifetime(self) {}
    if blocks == 1 { return result }
    return partial.reduced(outer: outer, rows: blocks, inner: inner, kernel)
  }
}

/// Which axes a reduction takes, and the shapes that it leaves.
private struct ReducedAxes: Sendable {
  let axes: [Int]
  /// The shape with reduced axes of length 1, and without them.
  let kept: [Int]
  let dropped: [Int]
  /// How many elements go into one result.
  let count: Int
  /// Runs of adjacent reduced axes as the middle of `[outer, rows, inner]`; for all but the last the inner length
  /// is what remains after the runs behind them were reduced.
  let runs: [(outer: Int, rows: Int, inner: Int)]

  init(of tensor: Tensor, _ axes: [Int]?, _ operation: String) {
    let shape = tensor.shape
    let chosen = Set((axes ?? Array(0..<tensor.rank)).map { tensor.normalizedAxis($0, operation) })
    self.axes = chosen.sorted()
    kept = shape.indices.map { chosen.contains($0) ? 1 : shape[$0] }
    dropped = shape.indices.filter { !chosen.contains($0) }.map { shape[$0] }
    count = chosen.reduce(1) { $0 * shape[$1] }
    var runs: [(outer: Int, rows: Int, inner: Int)] = []
    var axis = 0
    while axis < shape.count {
      guard chosen.contains(axis) else {
        axis += 1
        continue
      }
      var end = axis
      while end < shape.count && chosen.contains(end) { end += 1 }
      runs.append(
        (
          shape[..<axis].reduce(1, *), shape[axis..<end].reduce(1, *), kept[end...].reduce(1, *)
        ))
      axis = end
    }
    self.runs = runs
  }
}
