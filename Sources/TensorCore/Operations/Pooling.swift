import CTensorKernels

// Pooling of pictures, channels last.

extension Tensor {
  /// Means over windows of pictures `[batch, height, width, channels]`.
  ///
  /// The result's height is `(height + top + bottom - d (kh - 1) - 1) / s + 1`, rounded down, or up where `roundsUp`
  /// (a window that would begin beyond the picture and its top padding is left out).
  ///
  /// - Parameters:
  ///   - kernel: the window's height and width.
  ///   - stride: rows and columns from a window to the next; the kernel's size where it is `nil`.
  ///   - padding: zeros around the picture.
  ///   - dilation: rows and columns between the taps of a window.
  ///   - roundsUp: PyTorch's and ONNX's `ceil_mode`.
  ///   - countsPadding: whether the padding counts in the mean (`count_include_pad`: 1 unless said in PyTorch, 0 unless said
  ///     in ONNX). What `roundsUp` reaches beyond the padding never counts.
  public func averagePooled(
    _ kernel: (Int, Int), stride: (Int, Int)? = nil, padding: Padding = .none,
    dilation: (Int, Int) = (1, 1), roundsUp: Bool = false, countsPadding: Bool = true
  ) -> Tensor {
    let window = poolWindow(kernel, stride, padding, dilation, roundsUp, "averagePooled")
    let (type, x) = (dtype.kernelType, detached)
    let (bottom, right, padded) = (padding.bottom, padding.right, Int32(countsPadding ? 1 : 0))
    let y = pooled([shape[0], window.out_height, window.out_width, shape[3]]) { range, target in
      var window = window
      tk_average_pool(
        type, &window, bottom, right, padded, range.lowerBound, range.count, x.readAddress, target)
    }
    return y.recorded(as: .averagePool, from: [self]) { gradient, _ in
      let dx = gradient.pooled(x.shape) { range, target in
        var window = window
        tk_average_pool_gradient(
          type, &window, bottom, right, padded, range.lowerBound, range.count,
          gradient.readAddress, target)
      }
      return [dx]
    }
  }

  /// The largest values of windows of pictures `[batch, height, width, channels]`; padding never wins, and of equal
  /// values the first gets the gradient.
  ///
  /// Sizes and parameters are those of ``averagePooled(_:stride:padding:dilation:roundsUp:countsPadding:)``.
  public func maxPooled(
    _ kernel: (Int, Int), stride: (Int, Int)? = nil, padding: Padding = .none,
    dilation: (Int, Int) = (1, 1), roundsUp: Bool = false
  ) -> Tensor {
    let window = poolWindow(kernel, stride, padding, dilation, roundsUp, "maxPooled")
    let (type, x) = (dtype.kernelType, detached)
    let outShape = [shape[0], window.out_height, window.out_width, shape[3]]
    let winner = Tensor(uninitialized: outShape, dtype: dtype)
    let y = pooled(outShape) { range, target in
      var window = window
      tk_max_pool(
        type, &window, range.lowerBound, range.count, x.readAddress, target, winner.freshAddress)
    }
    let inShape = shape
    return y.recorded(as: .maxPool, from: [self]) { gradient, _ in
      let dx = gradient.pooled(inShape) { range, target in
        var window = window
        tk_max_pool_gradient(
          type, &window, range.lowerBound, range.count, gradient.readAddress, winner.readAddress,
          target)
      }
      return [dx]
    }
  }

  private func poolWindow(
    _ kernel: (Int, Int), _ stride: (Int, Int)?, _ padding: Padding, _ dilation: (Int, Int),
    _ roundsUp: Bool, _ operation: String
  ) -> TKWindow {
    require(
      rank == 4, operation, "the input must be [batch, height, width, channels], got \(shape)")
    return TKWindow(
      sliding: kernel, over: shape, stride: stride ?? kernel, padding: padding, dilation: dilation,
      roundsUp: roundsUp, operation)
  }

  /// A new tensor of `shape`, filled by `body` some pixels (counted over all samples) at a time.
  private func pooled(
    _ shape: [Int], _ body: (Range<Int>, UnsafeMutableRawPointer) -> Void
  ) -> Tensor {
    Backend.prepare()
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let grain = Swift.max(1, 8192 / Swift.max(1, shape[3]))
    Parallel.ranges(shape[0] * shape[1] * shape[2], grain: grain) { body($0, result.freshAddress) }
    withExtendedLifetime(self) {}
    return result
  }
}
