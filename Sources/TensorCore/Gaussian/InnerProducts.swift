import COpenBLAS

extension BLAS {
  /// The scalar product of `count` adjacent elements.
  static func dot(
    _ dtype: DType, _ count: Int, _ x: UnsafeRawPointer, _ y: UnsafeRawPointer,
    into result: UnsafeMutableRawPointer
  ) {
    Backend.prepare()
    if dtype == .float32 {
      result.assumingMemoryBound(to: Float.self).initialize(
        to: cblas_sdot(
          blasint(count), x.assumingMemoryBound(to: Float.self), 1,
          y.assumingMemoryBound(to: Float.self), 1))
    } else {
      result.assumingMemoryBound(to: Double.self).initialize(
        to: cblas_ddot(
          blasint(count), x.assumingMemoryBound(to: Double.self), 1,
          y.assumingMemoryBound(to: Double.self), 1))
    }
  }
}

extension Tensor {
  /// The sum of products over every axis but the first, sample by sample: `[batch, ...]` and `[batch, ...]` of one
  /// shape give `[batch]`.
  public func innerProducts(_ other: Tensor) -> Tensor {
    let (a, b) = (detached, other.detached)
    require(
      rank >= 1 && a.shape == b.shape && a.dtype == b.dtype && dtype.computes, "innerProducts",
      "operands are \(a.dtype) \(a.shape) and \(b.dtype) \(b.shape): expected the same "
        + "[batch, ...]")
    let batch = shape[0]
    let result = Tensor(uninitialized: [batch], dtype: dtype)
    let (length, size, type) = (batch == 0 ? 0 : count / batch, dtype.size, dtype)
    let (x, y, target) = (a.readAddress, b.readAddress, result.freshAddress)
    let grain = Swift.max(1, Parallel.elementGrain / Swift.max(1, length))
    Parallel.ranges(batch, grain: grain) { samples in
      for sample in samples {
        let start = sample * length * size
        BLAS.dot(type, length, x + start, y + start, into: target + sample * size)
      }
    }
    withExtendedLifetime((a, b)) {}
    return result.recorded(as: .innerProducts, from: [self, other]) { gradient, needed in
      let factor = gradient.reshaped([batch] + Array(repeating: 1, count: a.rank - 1))
      return [needed[0] ? b * factor : nil, needed[1] ? a * factor : nil]
    }
  }

  /// The sum over every axis but the first: `[batch]`.
  func sumOfSamples() -> Tensor {
    rank == 1 ? self : sum(axes: Array(1..<rank))
  }
}
