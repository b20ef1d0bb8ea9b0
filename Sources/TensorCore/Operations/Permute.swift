import CTensorKernels

extension Tensor {
  /// The axes in another order: axis `i` of the result is axis `order[i]` of this tensor.
  public func permuted(_ order: [Int]) -> Tensor {
    require(
      order.sorted() == Array(0..<rank), "permuted",
      "\(order) is no order of the \(rank) axes of shape \(shape)")
    var inverse = order
    for (place, axis) in order.enumerated() { inverse[axis] = place }
    let back = inverse
    return detached.rearranged(order).recorded(as: .permute, from: [self]) { gradient, _ in
      [gradient.permuted(back)]
    }
  }

  /// The last two axes exchanged.
  public var transposed: Tensor {
    require(rank >= 2, "transposed", "a matrix has two axes at least, got shape \(shape)")
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    return permuted(order)
  }

  private func rearranged(_ order: [Int]) -> Tensor {
    let target = order.map { shape[$0] }
    let walk = PermutationWalk(shape: shape, order: order)
    if walk.isIdentity { return viewed(as: target) }
    let result = Tensor(uninitialized: target, dtype: dtype)
    if count == 0 { return result }
    let (source, out, size) = (readAddress, result.freshAddress, dtype.size)
    let (inner, stride) = (walk.lengths[walk.lengths.count - 1], walk.innerStride)
    let rows = count / inner
    Parallel.ranges(rows, grain: Swift.max(1, Parallel.elementGrain / inner)) { range in
      var position = walk.position(of: range.lowerBound)
      for row in range {
        let (from, to) = (source + position.offset * size, out + row * inner * size)
        if stride == 1 {
          to.copyMemory(from: from, byteCount: inner * size)
        } else {
          Self.gather(inner, stride, size, from, to)
        }
        walk.advance(&position)
      }
    }
    withExtendedLifetime(self) {}
    return result
  }

  private static func gather(
    _ count: Int, _ stride: Int, _ size: Int, _ source: UnsafeRawPointer,
    _ target: UnsafeMutableRawPointer
  ) {
    switch size {
    case 4: tk_gather(TK_FLOAT32, count, stride, source, target)
    case 8: tk_gather(TK_FLOAT64, count, stride, source, target)
    default:
      let (from, to) = (
        source.assumingMemoryBound(to: UInt16.self), target.assumingMemoryBound(to: UInt16.self)
      )
      for index in 0..<count { to[index] = from[index * stride] }
    }
  }
}

/// A walk over a permuted tensor in the result's order: axes that stay adjacent are one, axes of length 1 are none.
private struct PermutationWalk: Sendable {
  private(set) var lengths: [Int] = []
  private(set) var strides: [Int] = []

  init(shape: [Int], order: [Int]) {
    let steps = Tensor.rowStrides(shape)
    for axis in order where shape[axis] != 1 {
      if let last = strides.last, last == steps[axis] * shape[axis] {
        lengths[lengths.count - 1] *= shape[axis]
        strides[strides.count - 1] = steps[axis]
      } else {
        lengths.append(shape[axis])
        strides.append(steps[axis])
      }
    }
    if lengths.isEmpty { (lengths, strides) = ([1], [1]) }
  }

  var isIdentity: Bool { lengths.count == 1 && strides == [1] }
  var innerStride: Int { strides[strides.count - 1] }

  /// Where a row (an index over all axes but the innermost) begins, and its index along each axis.
  struct Position {
    var indices: [Int]
    var offset: Int
  }

  func position(of row: Int) -> Position {
    var position = Position(indices: Array(repeating: 0, count: lengths.count), offset: 0)
    var rest = row
    for axis in lengths.indices.dropLast().reversed() {
      position.indices[axis] = rest % lengths[axis]
      rest /= lengths[axis]
      position.offset += position.indices[axis] * strides[axis]
    }
    return position
  }

  func advance(_ position: inout Position) {
    for axis in lengths.indices.dropLast().reversed() {
      position.indices[axis] += 1
      position.offset += strides[axis]
      if position.indices[axis] < lengths[axis] { return }
      position.offset -= lengths[axis] * strides[axis]
      position.indices[axis] = 0
    }
  }
}
