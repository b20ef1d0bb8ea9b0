// Joining, cutting and padding along axes: copies of runs of memory.

extension Tensor {
  /// `tensors` one after the other along `axis`; their other axes must agree.
  public static func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
    guard let first = tensors.first else { misuse("concatenated", "there is nothing to join") }
    let axis = first.normalizedAxis(axis, "concatenated")
    var shape = first.shape
    shape[axis] = 0
    for tensor in tensors {
      var others = tensor.shape
      require(others.count == shape.count, "concatenated", Self.unlike(tensors, axis))
      shape[axis] += others[axis]
      others[axis] = first.shape[axis]
      require(
        others == first.shape && tensor.dtype == first.dtype, "concatenated",
        Self.unlike(tensors, axis))
    }
    let parts = tensors.map(\.detached)
    let result = Tensor(uninitialized: shape, dtype: first.dtype)
    let run = Runs(shape, axis, first.dtype)
    var start = 0
    for part in parts {
      let length = part.shape[axis]
      run.copy(
        length, from: part.readAddress, Runs(part.shape, axis, part.dtype), at: 0,
        to: result.freshAddress, run, at: start)
      start += length
    }
    withExtendedLifetime(parts) {}
    let lengths = tensors.map { $0.shape[axis] }
    return result.recorded(as: .concatenate, from: tensors) { gradient, needed in
      var start = 0
      return lengths.indices.map { index in
        defer { start += lengths[index] }
        return needed[index]
          ? gradient.sliced(axis: axis, start..<start + lengths[index]) : nil
      }
    }
  }

  private static func unlike(_ tensors: [Tensor], _ axis: Int) -> String {
    "shapes \(tensors.map(\.shape)) of types \(tensors.map(\.dtype)) differ in more than axis \(axis)"
  }

  /// The elements whose index along `axis` lies in `range`.
  public func sliced(axis: Int, _ range: Range<Int>) -> Tensor {
    let axis = normalizedAxis(axis, "sliced")
    require(
      range.lowerBound >= 0 && range.upperBound <= shape[axis], "sliced",
      "\(range) does not lie within axis \(axis) of shape \(shape)")
    if range.count == shape[axis] { return self }
    var target = shape
    target[axis] = range.count
    let result = Tensor(uninitialized: target, dtype: dtype)
    let run = Runs(target, axis, dtype)
    run.copy(
      range.count, from: readAddress, Runs(shape, axis, dtype), at: range.lowerBound,
      to: result.freshAddress, run, at: 0)
    withExtendedLifetime(self) {}
    let length = shape[axis]
    return result.recorded(as: .slice, from: [self]) { gradient, _ in
      [gradient.padded(axis: axis, before: range.lowerBound, after: length - range.upperBound)]
    }
  }

  /// Cut along `axis` into parts of the given lengths, which must add up.
  public func split(axis: Int, lengths: [Int]) -> [Tensor] {
    let axis = normalizedAxis(axis, "split")
    require(
      lengths.reduce(0, +) == shape[axis], "split",
      "lengths \(lengths) do not add up to axis \(axis) of shape \(shape)")
    var start = 0
    return lengths.map { length in
      defer { start += length }
      return sliced(axis: axis, start..<start + length)
    }
  }

  /// Cut along `axis` into `parts` of one length.
  public func split(axis: Int, into parts: Int) -> [Tensor] {
    let axis = normalizedAxis(axis, "split")
    require(
      parts > 0 && shape[axis] % parts == 0, "split",
      "axis \(axis) of shape \(shape) does not cut into \(parts) equal parts")
    return split(axis: axis, lengths: Array(repeating: shape[axis] / parts, count: parts))
  }

  /// `value` put before and after each axis: one pair an axis.
  public func padded(_ amounts: [(before: Int, after: Int)], value: Double = 0) -> Tensor {
    require(
      amounts.count == rank, "padded", "\(amounts.count) amounts for shape \(shape): one an axis")
    var result = self
    for (axis, amount) in amounts.enumerated() {
      result = result.padded(
        axis: axis, before: amount.before, after: amount.after, value: value)
    }
    return result
  }

  /// `value` put before and after `axis`; negative amounts are refused.
  public func padded(axis: Int, before: Int, after: Int, value: Double = 0) -> Tensor {
    let axis = normalizedAxis(axis, "padded")
    require(
      before >= 0 && after >= 0, "padded", "amounts must not be negative, got \(before), \(after)")
    if before == 0 && after == 0 { return self }
    var target = shape
    target[axis] += before + after
    var result = Tensor(repeating: value, shape: target, dtype: dtype)
    let run = Runs(target, axis, dtype)
    let length = shape[axis]
    run.copy(
      length, from: readAddress, Runs(shape, axis, dtype), at: 0, to: result.uniqueAddress(), run,
      at: before)
    withExtendedLifetime(self) {}
    return result.recorded(as: .pad, from: [self]) { gradient, _ in
      [gradient.sliced(axis: axis, before..<before + length)]
    }
  }
}

/// A tensor seen as rows along one axis: `outer` rows, each of `length` entries of `entry` bytes.
private struct Runs: Sendable {
  let outer: Int
  let length: Int
  let entry: Int

  init(_ shape: [Int], _ axis: Int, _ dtype: DType) {
    outer = shape[..<axis].reduce(1, *)
    length = shape[axis]
    entry = shape[(axis + 1)...].reduce(1, *) * dtype.size
  }

  /// Copies `count` entries of every row.
  func copy(
    _ count: Int, from source: UnsafeRawPointer, _ sourceRuns: Runs, at sourceStart: Int,
    to target: UnsafeMutableRawPointer, _ targetRuns: Runs, at targetStart: Int
  ) {
    let bytes = count * entry
    if bytes == 0 || outer == 0 { return }
    let grain = max(1, Parallel.elementGrain * 4 / bytes)
    Parallel.ranges(outer, grain: grain) { range in
      for row in range {
        (target + (row * targetRuns.length + targetStart) * entry).copyMemory(
          from: source + (row * sourceRuns.length + sourceStart) * entry, byteCount: bytes)
      }
    }
  }
}
