import CTensorKernels

extension Tensor {
  /// `x W^T + b` over the last axis: `[batch, ..., in]` with `weight` `[out, in]` gives `[batch, ..., out]`.
  ///
  /// The first axis is the batch: a sample's rows have the same bytes in any batch and for any number of threads.
  /// Many rows that are no samples (`[rows, in]`) are faster as `[1, rows, in]`.
  ///
  /// - Parameters:
  ///   - weight: `[out, in]`.
  ///   - bias: `[out]`, where there is one.
  public func linear(_ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
    let (x, w) = (detached, weight.detached)
    let operands = [self, weight] + (bias.map { [$0] } ?? [])
    return x.rowProduct(w, bias?.detached)
      .recorded(as: .linear, from: operands) { gradient, needed in
        let rows = gradient.asRows
        var parts = [
          needed[0] ? rows.matmul(w).viewed(as: x.shape) : nil,
          needed[1] ? rows.matmul(x.asRows, transposeA: true) : nil,
        ]
        if needed.count > 2 { parts.append(needed[2] ? rows.sum(axes: [0]) : nil) }
        return parts
      }
  }

  /// Every axis but the last as one: `[rows, length]`.
  private var asRows: Tensor {
    let length = shape[rank - 1]
    return viewed(as: [count / Swift.max(1, length), length])
  }

  private func rowProduct(_ weight: Tensor, _ bias: Tensor?) -> Tensor {
    require(
      rank > 0 && weight.rank == 2 && weight.shape.last == shape.last, "linear",
      "x is \(shape) and the weight \(weight.shape): expected [..., in] and [out, in]")
    let length = weight.shape[0]
    require(
      bias == nil || bias?.shape == [length], "linear",
      "the bias is \(bias?.shape ?? []): expected [\(length)]")
    require(
      weight.dtype == dtype && (bias?.dtype ?? dtype) == dtype, "linear",
      "x is \(dtype), the weight \(weight.dtype), the bias \(bias?.dtype ?? dtype): convert")
    let result = Tensor(uninitialized: shape.dropLast() + [length], dtype: dtype)
    let rowsOfSample = shape.dropFirst().dropLast().reduce(1, *)
    if result.count == 0 { return result }
    if shape[rank - 1] == 0 {
      return (bias ?? .zeros([length], dtype: dtype)).broadcasted(to: result.shape)
    }
    let work = RowProduct(x: self, weight: weight, bias: bias, result: result)
    if rowsOfSample < RowProduct.fewRows {
      work.runByRows()
    } else {
      work.runBySamples(rows: rowsOfSample)
    }
    withExtendedLifetime(work) {}
    return result
  }
}

/// Rows times a weight `[out, in]`, cut so that a row's bytes depend on nothing but its own sample.
///
/// In OpenBLAS they depend on the shape of the call and on where in it the row stands (in groups of 12 on Zen), so
/// a call never holds rows of two samples; where a sample has few rows our own kernel takes each by itself.
private struct RowProduct {
  let x: Tensor
  let weight: Tensor
  let bias: Tensor?
  let result: Tensor

  /// Below so many rows a sample, packing the weight for BLAS costs more than the product.
  static let fewRows = 16

  private var depth: Int { weight.shape[1] }
  private var length: Int { weight.shape[0] }
  private var size: Int { x.dtype.size }

  /// One sample at a time through BLAS.
  func runBySamples(rows: Int) {
    let tiles = ProductTiles(m: rows, n: length, k: depth, cutsDepth: false)
    let samples = result.count / (rows * length)
    let operand = MatrixOperand(address: weight.readAddress, stride: depth, isTransposed: true)
    Parallel.ranges(samples * tiles.count, grain: tiles.grain) { range in
      for index in range {
        let (sample, tile) = (index / tiles.count, index % tiles.count)
        let target = result.freshAddress + sample * rows * length * size
        if let bias { fill(tiles, tile, with: bias.readAddress, target) }
        tiles.compute(
          x.dtype, tile: tile, layer: 0,
          MatrixOperand(
            address: x.readAddress + sample * rows * depth * size, stride: depth,
            isTransposed: false),
          operand, adding: bias != nil, into: target)
      }
    }
  }

  /// Puts the bias into a tile, for BLAS to add to.
  private func fill(
    _ tiles: ProductTiles, _ tile: Int, with bias: UnsafeRawPointer,
    _ target: UnsafeMutableRawPointer
  ) {
    let columns = tiles.columnRange(tile)
    for row in tiles.rowRange(tile) {
      (target + (row * length + columns.lowerBound) * size).copyMemory(
        from: bias + columns.lowerBound * size, byteCount: columns.count * size)
    }
  }

  /// Rows by scalar products with the weight's rows: blocks of weights that stay in cache, for blocks of rows.
  func runByRows() {
    let rows = result.count / length
    let columns = Swift.max(4, 16384 / Swift.max(1, depth) / 4 * 4)
    let (strips, block) = ((length + columns - 1) / columns, 64)
    Backend.prepare()
    Parallel.forEach(strips * ((rows + block - 1) / block)) { tile in
      let (first, start) = (tile / strips * block, tile % strips * columns)
      tk_row_products(
        x.dtype.kernelType, Swift.min(block, rows - first), Swift.min(columns, length - start),
        depth, x.readAddress + first * depth * size, weight.readAddress + start * depth * size,
        bias.map { $0.readAddress + start * size },
        result.freshAddress + (first * length + start) * size, length)
    }
  }
}
