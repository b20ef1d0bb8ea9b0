extension Image {
  /// The image resampled to `width` x `height` pixels, with antialiasing where it gets smaller.
  ///
  /// Rows first, then columns, each rounded to 8 bits: the numbers of Pillow (which since version
  /// 13 goes the other way about where the height shrinks more than the width). Colours are
  /// weighted with their alpha, so that what is transparent does not bleed into what is not.
  public func resized(width: Int, height: Int, filter: ResizeFilter = .lanczos) -> Image {
    checkGeometry("Image.resized", width, height, channels, count: nil)
    if width == self.width && height == self.height { return self }
    let source = hasAlpha ? premultiplied() : self
    let result = source.resizedRows(to: width, filter).resizedColumns(to: height, filter)
    return hasAlpha ? result.unpremultiplied() : result
  }

  /// The image resampled so that its shorter side is `side` pixels; the longer one keeps the
  /// proportion, rounded.
  public func resized(shorterSide side: Int, filter: ResizeFilter = .lanczos) -> Image {
    let shorter = min(width, height)
    let longer = max(width, height)
    let scaled = max(side, Int((Double(longer) * Double(side) / Double(shorter)).rounded()))
    return width <= height
      ? resized(width: side, height: scaled, filter: filter)
      : resized(width: scaled, height: side, filter: filter)
  }

  private func resizedRows(to target: Int, _ filter: ResizeFilter) -> Image {
    if target == width { return self }
    let axis = ResizeWeights(from: width, to: target, filter: filter)
    return resampled(width: target, height: height, axis) { source, weights, out in
      for x in 0..<target {
        let row = weights + x * axis.widest
        for y in 0..<height {
          let first = source + (y * width + axis.starts[x]) * channels
          for channel in 0..<channels {
            var sum = ResizeWeights.half
            for tap in 0..<axis.counts[x] {
              sum &+= Int32(first[tap * channels + channel]) &* row[tap]
            }
            out[(y * target + x) * channels + channel] = ResizeWeights.sample(sum)
          }
        }
      }
    }
  }

  private func resizedColumns(to target: Int, _ filter: ResizeFilter) -> Image {
    if target == height { return self }
    let axis = ResizeWeights(from: height, to: target, filter: filter)
    let length = width * channels
    var sums = [Int32](repeating: 0, count: length)
    return resampled(width: width, height: target, axis) { source, weights, out in
      sums.withUnsafeMutableBufferPointer { sums in
        for y in 0..<target {
          sums.update(repeating: ResizeWeights.half)
          for tap in 0..<axis.counts[y] {
            let weight = weights[y * axis.widest + tap]
            let row = source + (axis.starts[y] + tap) * length
            for index in 0..<length { sums[index] &+= Int32(row[index]) &* weight }
          }
          for index in 0..<length { out[y * length + index] = ResizeWeights.sample(sums[index]) }
        }
      }
    }
  }

  private func resampled(
    width: Int, height: Int, _ axis: ResizeWeights,
    _ fill: (UnsafePointer<UInt8>, UnsafePointer<Int32>, UnsafeMutablePointer<UInt8>) -> Void
  ) -> Image {
    let count = width * height * channels
    let result = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
      samples.withUnsafeBufferPointer { source in
        axis.weights.withUnsafeBufferPointer { weights in
          // None of the three is empty, so each has an address.
          if let source = source.baseAddress, let weights = weights.baseAddress,
            let out = out.baseAddress
          {
            fill(source, weights, out)
          }
        }
      }
      initialized = count
    }
    return Image(width: width, height: height, channels: channels, samples: result)
  }

  private func premultiplied() -> Image {
    mappedColors { ($0 * $1 + 127) / 255 }
  }

  private func unpremultiplied() -> Image {
    mappedColors { $1 == 0 ? 0 : min(255, ($0 * 255 + $1 / 2) / $1) }
  }

  /// Every colour sample replaced by a function of it and its alpha.
  private func mappedColors(_ transform: (UInt32, UInt32) -> UInt32) -> Image {
    var result = samples
    for start in stride(from: 0, to: samples.count, by: channels) {
      let alpha = UInt32(samples[start + channels - 1])
      for channel in start..<start + channels - 1 {
        result[channel] = UInt8(transform(UInt32(samples[channel]), alpha))
      }
    }
    return Image(width: width, height: height, channels: channels, samples: result)
  }
}
