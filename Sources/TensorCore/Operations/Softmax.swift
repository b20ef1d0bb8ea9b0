import CTensorKernels

extension Tensor {
  /// `e^x / sum(e^x)` along `axis`, taken about the largest element so that nothing overflows.
  ///
  /// The last axis is the fast one. Where every element is minus infinity the result is not a number.
  public func softmax(axis: Int = -1) -> Tensor {
    alongLast(axis, "softmax") { $0.softmaxOfRows(logarithm: false) }
  }

  /// `x - log(sum(e^x))` along `axis`.
  public func logSoftmax(axis: Int = -1) -> Tensor {
    alongLast(axis, "logSoftmax") { $0.softmaxOfRows(logarithm: true) }
  }

  /// Applies `body` with `axis` brought to the end, and puts it back.
  private func alongLast(_ axis: Int, _ name: String, _ body: (Tensor) -> Tensor) -> Tensor {
    let axis = normalizedAxis(axis, name)
    if axis == rank - 1 { return body(self) }
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 1)
    return body(permuted(order)).permuted(order)
  }

  private func softmaxOfRows(logarithm: Bool) -> Tensor {
    let y = detached.softmaxRows(logarithm: logarithm)
    return y.recorded(as: logarithm ? .logSoftmax : .softmax, from: [self]) { gradient, _ in
      let result = Tensor(uninitialized: y.shape, dtype: y.dtype)
      let (type, size) = (y.dtype.kernelType, y.dtype.size)
      let (g, values, target) = (gradient.readAddress, y.readAddress, result.freshAddress)
      y.forEachBlockOfRows { rows, length in
        let start = rows.lowerBound * length * size
        tk_softmax_gradient(
          type, rows.count, length, logarithm ? 1 : 0, g + start, values + start, target + start)
      }
      withExtendedLifetime((gradient, y)) {}
      return [result]
    }
  }

  /// Softmax or its logarithm over the last axis, not recorded.
  func softmaxRows(logarithm: Bool) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let (type, size) = (dtype.kernelType, dtype.size)
    let (source, target) = (readAddress, result.freshAddress)
    forEachBlockOfRows { rows, length in
      let start = rows.lowerBound * length * size
      tk_softmax_rows(type, rows.count, length, logarithm ? 1 : 0, source + start, target + start)
    }
    withExtendedLifetime(self) {}
    return result
  }

  /// Calls `body` with blocks of rows (all axes but the last) and their length, in parallel.
  func forEachBlockOfRows(_ body: (_ rows: Range<Int>, _ length: Int) -> Void) {
    let length = shape[rank - 1]
    if count == 0 { return }
    Backend.prepare()
    // A softmax costs some eight times what an addition does.
    Parallel.ranges(count / length, grain: Parallel.elementGrain / 8 / length) { body($0, length) }
  }
}
