import CTensorKernels

// Comparisons, which give 1 where they hold and 0 elsewhere and have no gradient, and selection by such a mask.

extension Tensor {
  /// 1 where an element is above `other`'s, else 0; with broadcasting.
  public func greater(than other: Tensor) -> Tensor {
    Tensor.combined("greater", TK_GREATER, detached, other.detached)
  }

  /// 1 where an element is below `other`'s, else 0; with broadcasting.
  public func less(than other: Tensor) -> Tensor {
    Tensor.combined("less", TK_LESS, detached, other.detached)
  }

  /// 1 where an element equals `other`'s, else 0; with broadcasting.
  public func equals(_ other: Tensor) -> Tensor {
    Tensor.combined("equals", TK_EQUAL, detached, other.detached)
  }

  /// `first` where `condition` is not 0, else `second`; all three broadcast. The condition gets no gradient.
  public static func selected(where condition: Tensor, _ first: Tensor, else second: Tensor)
    -> Tensor
  {
    let (mask, a, b) = (condition.detached, first.detached, second.detached)
    guard let walk = Broadcast([mask.shape, a.shape, b.shape]) else {
      misuse(
        "selected", "shapes \(mask.shape), \(a.shape) and \(b.shape) do not broadcast")
    }
    let shape = walk.shape
    let result = picked(
      mask.broadcasted(to: shape), a.broadcasted(to: shape), b.broadcasted(to: shape))
    return result.recorded(as: .select, from: [first, second]) { gradient, needed in
      let zeros = Tensor.zeros(gradient.shape, dtype: gradient.dtype)
      let whole = mask.broadcasted(to: gradient.shape)
      return [
        needed[0] ? picked(whole, gradient, zeros).summed(to: a.shape) : nil,
        needed[1] ? picked(whole, zeros, gradient).summed(to: b.shape) : nil,
      ]
    }
  }

  private static func picked(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    require(
      mask.dtype == a.dtype && a.dtype == b.dtype, "selected",
      "element types differ: \(mask.dtype), \(a.dtype), \(b.dtype)")
    let result = Tensor(uninitialized: a.shape, dtype: a.dtype)
    let (type, size) = (a.dtype.kernelType, a.dtype.size)
    let (m, x, y, out) = (mask.readAddress, a.readAddress, b.readAddress, result.freshAddress)
    Backend.prepare()
    Parallel.ranges(a.count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_select(type, range.count, m + start, x + start, y + start, out + start)
    }
    withExtendedLifetime((mask, a, b)) {}
    return result
  }
}
