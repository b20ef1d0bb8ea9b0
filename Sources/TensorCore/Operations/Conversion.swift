import CTensorKernels

extension Tensor {
  /// The same values in another element type, rounded to nearest even where it is narrower.
  ///
  /// Widening is exact; narrowing from float64 to a 16-bit type rounds once, not by way of float32. Blocks (`q8_0`) are made as
  /// ggml's reference makes them, of a last axis that is a multiple of 32; one with an element that is not finite becomes not
  /// finite.
  public func converted(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    let x = detached
    return x.recast(to: dtype).recorded(as: .convert, from: [self]) { gradient, _ in
      [gradient.converted(to: x.dtype)]
    }
  }

  private func recast(to target: DType) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: target)
    Backend.prepare()
    switch (dtype.computes, target.computes) {
    case (false, true) where dtype == .q8_0: widenBlocks(into: result)
    case (true, false) where target == .q8_0: narrowBlocks(into: result)
    case (false, true): widen(into: result)
    case (true, false): narrow(into: result)
    case (false, false): return recast(to: .float32).recast(to: target)
    case (true, true):
      if dtype == .float32 {
        copyElements(to: result, Float.self, Double.self) { Double($0) }
      } else {
        copyElements(to: result, Double.self, Float.self) { Float($0) }
      }
    }
    return result
  }

  private func widenBlocks(into result: Tensor) {
    let (source, target) = (readAddress, result.freshAddress)
    let (size, type) = (result.dtype.size, result.dtype.kernelType)
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      tk_widen_blocks(
        type, range.count, source, range.lowerBound, target + range.lowerBound * size)
    }
    withExtendedLifetime(self) {}
  }

  private func narrowBlocks(into result: Tensor) {
    let (source, target, type) = (readAddress, result.freshAddress, dtype.kernelType)
    let (size, length) = (dtype.size, result.dtype.blockLength)
    Parallel.ranges(count / length, grain: Parallel.elementGrain / length) { range in
      tk_narrow_blocks(
        type, range.count, source + range.lowerBound * length * size,
        target + result.dtype.byteCount(of: range.lowerBound * length))
    }
    withExtendedLifetime(self) {}
  }

  private func widen(into result: Tensor) {
    let source = readAddress.assumingMemoryBound(to: UInt16.self)
    let (target, size, type) = (result.freshAddress, result.dtype.size, result.dtype.kernelType)
    let isBFloat: Int32 = dtype == .bfloat16 ? 1 : 0
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      tk_widen(
        type, range.count, isBFloat, source + range.lowerBound, target + range.lowerBound * size)
    }
    withExtendedLifetime(self) {}
  }

  private func narrow(into result: Tensor) {
    let target = result.freshAddress.assumingMemoryBound(to: UInt16.self)
    let (source, size, type) = (readAddress, dtype.size, dtype.kernelType)
    let isBFloat: Int32 = result.dtype == .bfloat16 ? 1 : 0
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      tk_narrow(
        type, range.count, isBFloat, source + range.lowerBound * size, target + range.lowerBound)
    }
    withExtendedLifetime(self) {}
  }

  private func copyElements<A, B>(
    to result: Tensor, _: A.Type, _: B.Type, _ convert: (A) -> B
  ) {
    let source = readAddress.assumingMemoryBound(to: A.self)
    let target = result.freshAddress.assumingMemoryBound(to: B.self)
    Parallel.ranges(count, grain: Parallel.elementGrain) { range in
      for index in range { (target + index).initialize(to: convert(source[index])) }
    }
    withExtendedLifetime(self) {}
  }
}
