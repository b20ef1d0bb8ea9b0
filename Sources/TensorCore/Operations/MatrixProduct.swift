import CTensorKernels

extension Tensor {
  /// The matrix product of the last two axes; the axes before them broadcast, as NumPy's `matmul` does.
  ///
  /// `[..., m, k]` times `[..., k, n]` gives `[..., m, n]`. A vector counts as one row on the left, as one column on
  /// the right, and leaves its axis out of the result.
  ///
  /// - Parameters:
  ///   - transposeA: whether `self` is `[..., k, m]`.
  ///   - transposeB: whether `other` is `[..., n, k]`.
  public func matmul(_ other: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor
  {
    require(
      rank > 0 && other.rank > 0, "matmul", "a scalar is no matrix; multiply with * instead")
    if rank == 1 || other.rank == 1 {
      return matmulOfVectors(other, transposeA: transposeA, transposeB: transposeB)
    }
    let (a, b) = (detached, other.detached)
    return a.product(b, transposeA, transposeB)
      .recorded(as: .matrixProduct, from: [self, other]) { gradient, needed in
        [
          needed[0]
            ? a.leftGradient(gradient, b, transposeA, transposeB) : nil,
          needed[1]
            ? b.rightGradient(gradient, a, transposeA, transposeB) : nil,
        ]
      }
  }

  private func matmulOfVectors(_ other: Tensor, transposeA: Bool, transposeB: Bool) -> Tensor {
    let left = rank == 1 ? reshaped([1, count]) : self
    let right = other.rank == 1 ? other.reshaped([other.count, 1]) : other
    let product = left.matmul(
      right, transposeA: rank > 1 && transposeA, transposeB: other.rank > 1 && transposeB)
    var shape = product.shape
    if other.rank == 1 { shape.removeLast() }
    if rank == 1 { shape.remove(at: product.rank - 2) }
    return product.reshaped(shape)
  }

  /// The gradient of `self`, the left operand.
  private func leftGradient(
    _ gradient: Tensor, _ b: Tensor, _ transposeA: Bool, _ transposeB: Bool
  ) -> Tensor {
    let whole =
      transposeA
      ? b.product(gradient, transposeB, true) : gradient.product(b, false, !transposeB)
    return whole.summed(to: shape)
  }

  /// The gradient of `self`, the right operand. One right matrix for many left ones takes one product over all rows.
  private func rightGradient(
    _ gradient: Tensor, _ a: Tensor, _ transposeA: Bool, _ transposeB: Bool
  ) -> Tensor {
    var (a, gradient) = (a, gradient)
    if rank == 2 && !transposeA && a.rank > 2 {
      a = a.viewed(as: [a.count / Swift.max(1, a.shape[a.rank - 1]), a.shape[a.rank - 1]])
      gradient = gradient.viewed(as: [a.shape[0], gradient.shape[gradient.rank - 1]])
    }
    let whole =
      transposeB
      ? gradient.product(a, true, transposeA) : a.product(gradient, !transposeA, false)
    return whole.summed(to: shape)
  }

  /// The product of detached matrices.
  private func product(_ other: Tensor, _ transposeA: Bool, _ transposeB: Bool) -> Tensor {
    require(
      dtype == other.dtype, "matmul", "operands are \(dtype) and \(other.dtype): convert one")
    let (m, k) = matrixSize(transposeA)
    let (inner, n) = other.matrixSize(transposeB)
    require(
      k == inner, "matmul",
      "left \(shape)\(transposeA ? " transposed" : "") has \(k) columns, right \(other.shape)"
        + "\(transposeB ? " transposed" : "") has \(inner) rows: they must agree")
    let (left, right) = (Array(shape.dropLast(2)), Array(other.shape.dropLast(2)))
    guard let batch = Broadcast([left, right]) else {
      misuse(
        "matmul", "leading axes \(left) and \(right) do not broadcast: they must agree or be 1")
    }
    let result = Tensor(uninitialized: batch.shape + [m, n], dtype: dtype)
    if result.count == 0 { return result }
    if k == 0 { return Tensor.zeros(result.shape, dtype: dtype) }
    // Many left matrices with one right matrix are one product of all their rows, unless depth is cut.
    let matrices = result.count / (m * n)
    let single = ProductTiles(m: m, n: n, k: k, matrices: matrices)
    let isShared = !transposeA && other.count == k * n && count == matrices * m * k
    if matrices > 1 && isShared && single.depthBlocks == 1 {
      let rows = matrices * m
      multiply(
        other, false, transposeB, Broadcast([[1], [1]]) ?? batch,
        ProductTiles(m: rows, n: n, k: k, cutsDepth: false), into: result)
    } else {
      multiply(other, transposeA, transposeB, batch, single, into: result)
    }
    return result
  }

  private func matrixSize(_ isTransposed: Bool) -> (rows: Int, columns: Int) {
    let (stored, length) = (shape[rank - 2], shape[rank - 1])
    return isTransposed ? (length, stored) : (stored, length)
  }

  private func multiply(
    _ other: Tensor, _ transposeA: Bool, _ transposeB: Bool, _ batch: Broadcast,
    _ tiles: ProductTiles, into result: Tensor
  ) {
    let (m, n, k, size) = (tiles.m, tiles.n, tiles.k, dtype.size)
    let matrices = result.count / (m * n)
    let layers = tiles.depthBlocks
    let partial =
      layers == 1
      ? result : Tensor(uninitialized: [matrices, layers, m, n], dtype: dtype)
    let (x, y, out) = (readAddress, other.readAddress, partial.freshAddress)
    let (strideA, strideB) = (shape[rank - 1], other.shape[other.rank - 1])
    let scratchBytes = tiles.scratchBytes(dtype)
    Parallel.ranges(matrices * layers * tiles.count, grain: tiles.grain) { range in
      StoragePool.shared.withScratch(scratchBytes) { scratch in
        for index in range {
          let (matrix, layer) = (
            index / (tiles.count * layers), index / tiles.count % layers
          )
          let (p, q) = batch.offsets(at: matrix)
          tiles.compute(
            dtype, tile: index % tiles.count, layer: layer,
            MatrixOperand(
              address: x + p * m * k * size, stride: strideA, isTransposed: transposeA,
              dtype: dtype),
            MatrixOperand(
              address: y + q * k * n * size, stride: strideB, isTransposed: transposeB,
              dtype: dtype),
            into: out + (matrix * layers + layer) * m * n * size, scratch: scratch)
        }
      }
    }
    withExtendedLifetime((self, other)) {}
    if layers > 1 { partial.addLayers(layers, of: m * n, into: result) }
  }

  /// Adds the layers of `[matrices, layers, length]`, in order, into `[matrices, length]`.
  func addLayers(_ layers: Int, of length: Int, into result: Tensor) {
    let (type, size) = (dtype.kernelType, dtype.size)
    let (source, target) = (readAddress, result.freshAddress)
    Parallel.ranges(result.count, grain: Parallel.elementGrain) { range in
      // A range may begin in one matrix and end in another.
      var start = range.lowerBound
      while start < range.upperBound {
        let (matrix, first) = (start / length, start % length)
        let count = Swift.min(length - first, range.upperBound - start)
        let from = source + (matrix * layers * length + first) * size
        (target + start * size).copyMemory(from: from, byteCount: count * size)
        for layer in 1..<layers {
          tk_axpy(type, count, 1, from + layer * length * size, target + start * size)
        }
        start += count
      }
    }
    withExtendedLifetime(self) {}
  }
}

extension Broadcast {
  /// The operands' offsets at an index over all merged axes.
  func offsets(at index: Int) -> (Int, Int) {
    let last = lengths.count - 1
    let (a, b) = offsets(outer: index / lengths[last])
    let position = index % lengths[last]
    return (a + position * strides[last][0], b + position * strides[last][1])
  }
}
