import CTensorKernels

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

  /// Up to so many rows, packing the weight would cost more than reading it line by line.
  private static let fewRows = 300
  /// Runs of strips that each thread takes, so that one that is held up is helped.
  private static let runsOfThread = 4

  /// Few rows: they are packed, the weight is read once and as it is.
  private func fewRowsProduct(_ weight: Tensor, _ bias: Tensor?, into result: Tensor) {
    let (outputs, depth) = (weight.shape[0], weight.shape[1])
    let (rows, type) = (result.count / outputs, dtype.kernelType)
    let panels = PanelProduct.packed(
      MatrixOperand(address: readAddress, stride: depth, isTransposed: true, dtype: dtype),
      rows: depth, columns: rows, dtype: dtype)
    var elements = 0
    tk_gemm_few_rows_scratch(type, rows, depth, &elements)
    let scratchBytes = elements * dtype.size
    let work = Swift.max(1, 12 * (rows + 8) * depth)
    // Long runs, for within one the next strip is fetched while this one is multiplied.
    let (strips, runs) = ((outputs + 11) / 12, Self.runsOfThread * Backend.threads)
    let run = Swift.max((1 << 20) / work, (strips + runs - 1) / runs)
    Parallel.ranges(outputs, grain: run * 12) { range in
      StoragePool.shared.withScratch(scratchBytes) { scratch in
        tk_gemm_few_rows(
          type, rows, range.count, depth, panels.readAddress, weight.dtype.stored,
          weight.readAddress + weight.dtype.byteCount(of: range.lowerBound * depth), depth,
          bias.map { $0.readAddress + range.lowerBound * dtype.size },
          result.freshAddress + range.lowerBound * dtype.size, outputs, scratch)
      }
    }
    withExtendedLifetime((self, weight, bias, panels)) {}
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
      weight.dtype.serves(dtype, inBlocks: true) && (bias?.dtype ?? dtype) == dtype, "linear",
      "x is \(dtype), the weight \(weight.dtype), the bias \(bias?.dtype ?? dtype): convert")
    let result = Tensor(uninitialized: shape.dropLast() + [length], dtype: dtype)
    if result.count == 0 { return result }
    let depth = shape[rank - 1]
    if depth == 0 {
      return (bias ?? .zeros([length], dtype: dtype)).broadcasted(to: result.shape)
    }
    let (rows, columns) = (
      MatrixOperand(address: readAddress, stride: depth, isTransposed: false, dtype: dtype),
      MatrixOperand(
        address: weight.readAddress, stride: depth, isTransposed: true, dtype: weight.dtype)
    )
    let isHalf = ProductTiles.multipliesInBFloat16(dtype, columns, depth: depth)
    if result.count / length <= Self.fewRows && !isHalf {
      fewRowsProduct(weight, bias, into: result)
    } else {
      ProductTiles.multiply(
        dtype, m: result.count / length, n: length, k: depth, rows, columns,
        bias: bias?.readAddress, into: result.freshAddress)
    }
    withExtendedLifetime((self, weight, bias)) {}
    return result
  }
}
