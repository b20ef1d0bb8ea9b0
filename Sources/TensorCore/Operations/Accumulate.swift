import CTensorKernels

extension Tensor {
  /// Adds `factor * other`, of the same shape and type, in place.
  package mutating func accumulate(_ other: Tensor, times factor: Double = 1) {
    require(
      other.shape == shape && other.dtype == dtype, "accumulate",
      "cannot add \(other.dtype) \(other.shape) to \(dtype) \(shape) in place")
    let (type, size) = (dtype.kernelType, dtype.size)
    let (target, source) = (uniqueAddress(), other.readAddress)
    Backend.prepare()
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_axpy(type, range.count, factor, source + start, target + start)
    }
    withExtendedLifetime(other) {}
  }

  /// Whether no element is infinite or not a number.
  public var isFinite: Bool {
    let x = dtype.computes ? self : converted(to: .float32)
    var finite: Int32 = 1
    tk_finite(x.dtype.kernelType, x.count, x.readAddress, &finite)
    withExtendedLifetime(x) {}
    return finite == 1
  }
}
