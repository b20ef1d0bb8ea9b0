import CTensorKernels

/// Matrix products for convolution, by the engine's own kernel.
///
/// A Winograd or im2col tile is a product of some 50 rows by 32 to 640 columns. OpenBLAS packs both operands in every
/// call, which costs a tenth to a third at such shapes, and its bytes for a row depend on the shape of the call. Here the
/// weights are packed once, the rows not at all, and a row's bytes depend on nothing but the row: tiles may gather rows of
/// several samples.
enum PanelProduct {
  /// How many columns a panel of the second operand has.
  static func width(_ dtype: DType) -> Int {
    Backend.prepare()
    var width = 0
    tk_gemm_width(dtype.kernelType, &width)
    return width
  }

  /// `columns` rounded up to whole panels.
  static func padded(_ columns: Int, _ dtype: DType) -> Int {
    let width = width(dtype)
    return (columns + width - 1) / width * width
  }

  /// The panels of a matrix `[rows, columns]` as `[panel, rows, width]`.
  static func packed(
    _ matrix: MatrixOperand, rows: Int, columns: Int, dtype: DType
  ) -> Tensor {
    let panels = Tensor(uninitialized: [padded(columns, dtype), rows], dtype: dtype)
    let ((row, column), width, stored) = (matrix.strides, width(dtype), matrix.dtype.stored)
    let scratchBytes = stored == TK_AS_COMPUTED ? 0 : width * rows * dtype.size
    let grain = Swift.max(1, packingGrain / (width * Swift.max(1, rows))) * width
    Parallel.ranges(columns, grain: grain) { range in
      StoragePool.shared.withScratch(scratchBytes) { scratch in
        tk_gemm_pack(
          dtype.kernelType, rows, range.count, stored,
          matrix.address + matrix.dtype.byteCount(of: range.lowerBound * column), row, column,
          panels.freshAddress + range.lowerBound * rows * dtype.size, scratch)
      }
    }
    return panels
  }

  /// Elements that one thread packs at a time.
  private static let packingGrain = 1 << 16
}
