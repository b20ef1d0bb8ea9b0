extension Tensor {
  /// `x W^T + b` over the last axis: `[batch, ..., in]` with `weight` `[out, in]` gives `[batch, ..., out]`.
  ///
  /// A row's bytes depend on that row alone: not on the batch, nor on the number of threads. A weight in a type that
  /// only stores is widened block by block and never whole; it gives the bytes of the widened weight.
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
          needed[0] ? rows.matmul(w.converted(to: x.dtype)).viewed(as: x.shape) : nil,
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
      weight.dtype.serves(dtype) && (bias?.dtype ?? dtype) == dtype, "linear",
      "x is \(dtype), the weight \(weight.dtype), the bias \(bias?.dtype ?? dtype): convert")
    let result = Tensor(uninitialized: shape.dropLast() + [length], dtype: dtype)
    if result.count == 0 { return result }
    let depth = shape[rank - 1]
    if depth == 0 {
      return (bias ?? .zeros([length], dtype: dtype)).broadcasted(to: result.shape)
    }
    let tiles = ProductTiles(m: result.count / length, n: length, k: depth, cutsDepth: false)
    let scratchBytes = tiles.scratchBytes(dtype)
    Parallel.forEach(tiles.count) { tile in
      StoragePool.shared.withScratch(scratchBytes) { scratch in
        tiles.compute(
          dtype, tile: tile, layer: 0,
          MatrixOperand(address: readAddress, stride: depth, isTransposed: false, dtype: dtype),
          MatrixOperand(
            address: weight.readAddress, stride: depth, isTransposed: true, dtype: weight.dtype),
          bias: bias?.readAddress, into: result.freshAddress, scratch: scratch)
      }
    }
    withExtendedLifetime((self, weight, bias)) {}
    return result
  }
}
