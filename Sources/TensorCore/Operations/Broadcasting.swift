import CTensorKernels

/// How two shapes are walked together: axes of length 1 repeat (NumPy's rule), adjacent axes that move alike are one.
struct Broadcast {
  /// The result's shape.
  let shape: [Int]
  /// The merged axes, outermost first.
  private(set) var lengths: [Int] = []
  /// Distance in elements from one index to the next along each merged axis; 0 where the operand repeats.
  private(set) var strides: [[Int]] = []

  init?(_ shapes: [[Int]]) {
    let rank = shapes.map(\.count).max() ?? 0
    let padded = shapes.map { Array(repeating: 1, count: rank - $0.count) + $0 }
    var shape: [Int] = []
    for axis in 0..<rank {
      let lengths = Set(padded.map { $0[axis] }.filter { $0 != 1 })
      if lengths.count > 1 { return nil }
      shape.append(lengths.first ?? 1)
    }
    self.shape = shape
    let contiguous = padded.map(Tensor.rowStrides)
    for axis in 0..<rank where shape[axis] != 1 {
      let steps = padded.indices.map { padded[$0][axis] == 1 ? 0 : contiguous[$0][axis] }
      append(length: shape[axis], steps)
    }
    if lengths.isEmpty { append(length: 1, shapes.map { _ in 1 }) }
  }

  /// Adds an axis inside of those there are, merged with the last where each operand's steps allow.
  private mutating func append(length: Int, _ steps: [Int]) {
    if let last = strides.last, zip(last, steps).allSatisfy({ $0 == $1 * length }) {
      lengths[lengths.count - 1] *= length
      strides[strides.count - 1] = steps
    } else {
      lengths.append(length)
      strides.append(steps)
    }
  }

  /// The operands' offsets at an index over all merged axes but the innermost.
  func offsets(outer index: Int) -> (Int, Int) {
    var (rest, a, b) = (index, 0, 0)
    for axis in lengths.indices.dropLast().reversed() {
      let position = rest % lengths[axis]
      rest /= lengths[axis]
      a += position * strides[axis][0]
      b += position * strides[axis][1]
    }
    return (a, b)
  }
}

extension Tensor {
  /// The distance in elements from one index to the next along each axis of a dense row-major `shape`.
  package static func rowStrides(_ shape: [Int]) -> [Int] {
    var strides = shape
    var step = 1
    for axis in shape.indices.reversed() {
      strides[axis] = step
      step *= shape[axis]
    }
    return strides
  }

  /// `f(a, b)` with broadcasting.
  static func combined(_ name: String, _ code: TKBinary, _ a: Tensor, _ b: Tensor) -> Tensor {
    require(a.dtype == b.dtype, name, "operands are \(a.dtype) and \(b.dtype): convert one")
    guard let walk = Broadcast([a.shape, b.shape]) else {
      misuse(name, "shapes \(a.shape) and \(b.shape) do not broadcast: axes must agree or be 1")
    }
    let result = Tensor(uninitialized: walk.shape, dtype: a.dtype)
    if result.count == 0 { return result }
    let (type, size) = (a.dtype.kernelType, a.dtype.size)
    let (x, y, out) = (a.readAddress, b.readAddress, result.freshAddress)
    let inner = walk.lengths[walk.lengths.count - 1]
    let steps = walk.strides[walk.strides.count - 1]
    Backend.prepare()
    if inner == result.count {
      Parallel.ranges(inner, grain: Parallel.elementGrain) { range in
        let start = range.lowerBound * size
        tk_binary(
          type, code, range.count, x + start * steps[0], steps[0], y + start * steps[1], steps[1],
          out + start)
      }
    } else {
      Parallel.ranges(result.count / inner, grain: Parallel.elementGrain / inner) { range in
        for index in range {
          let (p, q) = walk.offsets(outer: index)
          tk_binary(
            type, code, inner, x + p * size, steps[0], y + q * size, steps[1],
            out + index * inner * size)
        }
      }
    }
    withExtendedLifetime((a, b)) {}
    return result
  }

  /// The sum over the axes along which `shape` was broadcast to this tensor's shape: broadcasting's pullback.
  func summed(to shape: [Int]) -> Tensor {
    if shape == self.shape { return self }
    let added = rank - shape.count
    let axes = (0..<rank).filter { $0 < added || (shape[$0 - added] == 1 && self.shape[$0] != 1) }
    return sum(axes: axes, keepingDimensions: true).reshaped(shape)
  }

  /// This tensor repeated along axes of length 1 (and new leading ones) to `shape`.
  public func broadcasted(to shape: [Int]) -> Tensor {
    if shape == self.shape { return self }
    let result = self + Tensor.zeros(shape, dtype: dtype)
    require(
      result.shape == shape, "broadcasted", "shape \(self.shape) does not broadcast to \(shape)")
    return result
  }
}
