import CTensorKernels

extension Tensor {
  /// The rows of a table `[entries, width]` that `indices` names: `shape + [width]`.
  ///
  /// Rows of a table in a type that only stores come widened to float32.
  ///
  /// The gradient adds the rows in the order of `indices`, so it is the same in every run.
  ///
  /// - Parameters:
  ///   - indices: which rows, in row-major order of `shape`; each in `0..<entries`.
  ///   - shape: how the rows are arranged; a list where it is left out.
  public func embedding(_ indices: [Int], shape: [Int]? = nil) -> Tensor {
    let shape = shape ?? [indices.count]
    require(rank == 2, "embedding", "the table must be [entries, width], got \(self.shape)")
    require(
      shape.reduce(1, *) == indices.count, "embedding",
      "\(indices.count) indices cannot be arranged as \(shape)")
    let (entries, width, size) = (self.shape[0], self.shape[1], dtype.size)
    if let outside = indices.first(where: { $0 < 0 || $0 >= entries }) {
      misuse("embedding", "index \(outside) is not in a table of \(entries) entries")
    }
    let result = Tensor(uninitialized: shape + [width], dtype: dtype)
    let (source, target) = (readAddress, result.freshAddress)
    Parallel.ranges(indices.count, grain: Parallel.elementGrain / Swift.max(1, width)) { range in
      for row in range {
        (target + row * width * size).copyMemory(
          from: source + indices[row] * width * size, byteCount: width * size)
      }
    }
    withExtendedLifetime(self) {}
    let tableShape = self.shape
    if !dtype.computes { return result.converted(to: .float32) }
    return result.recorded(as: .embedding, from: [self]) { gradient, _ in
      [gradient.scattered(to: indices, in: tableShape)]
    }
  }

  /// A table of zeros with this tensor's rows added at `indices`, one after the other.
  private func scattered(to indices: [Int], in shape: [Int]) -> Tensor {
    let table = Tensor.zeros(shape, dtype: dtype)
    let (type, width, size) = (dtype.kernelType, shape[1], dtype.size)
    let (source, target) = (readAddress, table.freshAddress)
    Backend.prepare()
    for (row, index) in indices.enumerated() {
      tk_axpy(type, width, 1, source + row * width * size, target + index * width * size)
    }
    withExtendedLifetime(self) {}
    return table
  }
}
