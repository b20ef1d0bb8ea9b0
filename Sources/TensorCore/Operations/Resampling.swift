import CTensorKernels

// Resampling of pictures `[batch, height, width, channels]` to another size.

extension Tensor {
  /// Every pixel repeated `factor` times down and across: `[batch, factor height, factor width, channels]`.
  public func upsampledNearest(by factor: Int) -> Tensor {
    require(factor >= 1, "upsampledNearest", "the factor must be 1 or more, got \(factor)")
    require(
      rank == 4, "upsampledNearest",
      "the input must be [batch, height, width, channels], got \(shape)")
    return resampledNearest(to: (factor * shape[1], factor * shape[2]))
  }

  /// The nearest pixels at another size, as PyTorch's `interpolate(mode="nearest")` picks them: output row `i` is input row
  /// `floor(i * scale)`, `scale = height / height'` in single precision. The result is `[batch, height', width', channels]`.
  public func resampledNearest(to size: (Int, Int)) -> Tensor {
    checkResampling(size, "resampledNearest")
    let rows = Self.nearest(shape[1], size.0)
    let columns = Self.nearest(shape[2], size.1)
    let (type, rowBytes, x) = (dtype.kernelType, shape[2] * shape[3] * dtype.size, detached)
    let (channels, inShape) = (shape[3], shape)
    let y = rowWise([shape[0], size.0, size.1, channels]) { sample, row, target in
      let source = x.readAddress + (sample * inShape[1] + rows[row]) * rowBytes
      tk_gather_columns(type, size.1, channels, columns, source, target)
    }
    return y.recorded(as: .resampleNearest, from: [self]) { gradient, _ in
      let dx = gradient.rowWise(inShape) { sample, row, target in
        target.initializeMemory(as: UInt8.self, repeating: 0, count: rowBytes)
        for outRow in rows.indices where rows[outRow] == row {
          let line = (sample * size.0 + outRow) * size.1 * channels * gradient.dtype.size
          tk_scatter_columns(
            type, size.1, channels, columns, gradient.readAddress + line, target)
        }
      }
      return [dx]
    }
  }

  /// Bilinear interpolation at another size, without antialiasing, as PyTorch's `interpolate(mode="bilinear")`.
  ///
  /// Output row `i` is at input row `(i + 1/2) height / height' - 1/2` (at the edge where that is outside) or, where
  /// `alignsCorners`, at `i (height - 1) / (height' - 1)`. The result is `[batch, height', width', channels]`.
  public func resampledBilinear(to size: (Int, Int), alignsCorners: Bool = false) -> Tensor {
    checkResampling(size, "resampledBilinear")
    let rows = LinearTaps(from: shape[1], to: size.0, alignsCorners: alignsCorners)
    let columns = LinearTaps(from: shape[2], to: size.1, alignsCorners: alignsCorners)
    let (type, rowBytes, x) = (dtype.kernelType, shape[2] * shape[3] * dtype.size, detached)
    let (channels, inShape) = (shape[3], shape)
    let y = rowWise([shape[0], size.0, size.1, channels]) { sample, row, target in
      let picture = x.readAddress + sample * inShape[1] * rowBytes
      tk_blend_columns(
        type, size.1, channels, columns.first, columns.second, columns.share, rows.share[row],
        picture + rows.first[row] * rowBytes, picture + rows.second[row] * rowBytes, target)
    }
    return y.recorded(as: .resampleBilinear, from: [self]) { gradient, _ in
      let dx = gradient.rowWise(inShape) { sample, row, target in
        target.initializeMemory(as: UInt8.self, repeating: 0, count: rowBytes)
        for outRow in 0..<size.0 {
          var share = rows.first[outRow] == row ? 1 - rows.share[outRow] : 0
          share += rows.second[outRow] == row ? rows.share[outRow] : 0
          if share == 0 { continue }
          let line = (sample * size.0 + outRow) * size.1 * channels * gradient.dtype.size
          tk_spread_columns(
            type, size.1, channels, columns.first, columns.second, columns.share, share,
            gradient.readAddress + line, target)
        }
      }
      return [dx]
    }
  }

  private func checkResampling(_ size: (Int, Int), _ operation: String) {
    require(
      rank == 4 && shape[1] > 0 && shape[2] > 0 && size.0 > 0 && size.1 > 0, operation,
      "the input must be [batch, height, width, channels] and the size positive, got \(shape) "
        + "and \(size)")
  }

  private static func nearest(_ length: Int, _ target: Int) -> [Int] {
    let scale = Float(length) / Float(target)
    return (0..<target).map { Swift.min(Int(Float($0) * scale), length - 1) }
  }

  /// A new tensor of `shape`, filled by `body` row of pixels by row.
  func rowWise(
    _ shape: [Int], _ body: (_ sample: Int, _ row: Int, UnsafeMutableRawPointer) -> Void
  ) -> Tensor {
    Backend.prepare()
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let line = shape[2] * shape[3]
    let grain = Swift.max(1, Parallel.elementGrain / Swift.max(1, line))
    Parallel.ranges(shape[0] * shape[1], grain: grain) { range in
      for index in range {
        body(
          index / shape[1], index % shape[1],
          result.freshAddress + index * line * dtype.size)
      }
    }
    withExtendedLifetime(self) {}
    return result
  }
}

/// The two input indices that each output index lies between, and the share of the second.
private struct LinearTaps: Sendable {
  let first: [Int]
  let second: [Int]
  let share: [Double]

  init(from length: Int, to target: Int, alignsCorners: Bool) {
    let places = (0..<target).map { index -> Double in
      if alignsCorners {
        return target > 1 ? Double(index) * Double(length - 1) / Double(target - 1) : 0
      }
      return max(0, (Double(index) + 0.5) * Double(length) / Double(target) - 0.5)
    }
    let first = places.map { min(Int($0), length - 1) }
    self.first = first
    second = first.map { min($0 + 1, length - 1) }
    share = zip(places, first).map { $0 - Double($1) }
  }
}
