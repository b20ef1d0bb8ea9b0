import TensorCore

extension Quantization {
  /// Q8_0's blocks of a float32 tensor, as ggml's reference makes them: the scale `d = max |x| / 127`, kept in half
  /// precision, and `x / d` rounded, half away from zero, with `d` before it was rounded itself. nil where the last axis
  /// is no whole number of blocks of 32, or a value is not finite.
  static func eightBitBlocks(of tensor: Tensor) -> [UInt8]? {
    guard (tensor.shape.last ?? 1) % 32 == 0 else { return nil }
    let count = tensor.count / 32
    var scales = Tensor(repeating: 0, shape: [count])
    var blocks = [UInt8](repeating: 0, count: count * 34)
    tensor.withElements(as: Float.self) { values in
      scales.withMutableElements(as: Float.self) { scales in
        blocks.withUnsafeMutableBytes { target in
          nonisolated(unsafe) let (values, scales, target) = (values, scales, target)
          Parallel.ranges(count, grain: Parallel.elementGrain / 32) { range in
            for block in range {
              scales[block] = quantize(
                UnsafeBufferPointer(rebasing: values[block * 32..<block * 32 + 32]),
                into: UnsafeMutableRawBufferPointer(
                  rebasing: target[block * 34 + 2..<block * 34 + 34]))
            }
          }
        }
      }
    }
    guard scales.doubles.allSatisfy(\.isFinite) else { return nil }
    scales.converted(to: .float16).withBytes { halves in
      for block in 0..<count {
        blocks[block * 34] = halves[block * 2]
        blocks[block * 34 + 1] = halves[block * 2 + 1]
      }
    }
    return blocks
  }

  /// Writes 32 signed bytes; returns the scale, which is not finite where a value is not.
  private static func quantize(
    _ values: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer
  ) -> Float {
    guard values.allSatisfy(\.isFinite) else { return .infinity }
    let scale = values.reduce(0) { max($0, abs($1)) } / 127
    let inverse = scale == 0 ? 0 : 1 / scale
    for (place, value) in values.enumerated() {
      let rounded = (value * inverse).rounded(.toNearestOrAwayFromZero)
      bytes[place] = UInt8(bitPattern: Int8(max(-127, min(127, rounded))))
    }
    return scale
  }
}
