import CTensorKernels

extension Tensor {
  /// A gated unit, `h GELU(g)`, where `h` and `g` are the halves of the last axis (Shazeer 2020, "GLU Variants Improve
  /// Transformer", equation 6): `[..., 2 n]` gives `[..., n]`. GELU is the exact one.
  public func gatedGELU() -> Tensor {
    let both = shape.last ?? 0
    require(
      rank > 0 && both % 2 == 0, "gatedGELU", "the last axis of \(shape) has no two equal halves")
    let x = detached
    let width = both / 2
    let result = Tensor(uninitialized: shape.dropLast() + [width], dtype: dtype)
    x.forEachGatedRows(width) { type, rows, offset in
      tk_gated_gelu(
        type, rows, width, x.readAddress + 2 * offset, result.freshAddress + offset)
    }
    return result.recorded(as: .gatedGELU, from: [self]) { gradient, _ in
      let dx = Tensor(uninitialized: x.shape, dtype: x.dtype)
      x.forEachGatedRows(width) { type, rows, offset in
        tk_gated_gelu_gradient(
          type, rows, width, gradient.readAddress + offset, x.readAddress + 2 * offset,
          dx.freshAddress + 2 * offset)
      }
      withExtendedLifetime(gradient) {}
      return [dx]
    }
  }

  /// Calls `body` with so many rows and the offset in bytes at which they begin in the narrow tensor.
  private func forEachGatedRows(
    _ width: Int, _ body: (_ type: TKType, _ rows: Int, _ offset: Int) -> Void
  ) {
    if count == 0 { return }
    Backend.prepare()
    let (type, bytes) = (dtype.kernelType, width * dtype.size)
    let grain = Swift.max(1, Parallel.elementGrain / (2 * width))
    Parallel.ranges(count / (2 * width), grain: grain) {
      body(type, $0.count, $0.lowerBound * bytes)
    }
    withExtendedLifetime(self) {}
  }
}
