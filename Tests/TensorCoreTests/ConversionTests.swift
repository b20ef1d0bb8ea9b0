import Foundation
import TensorCore
import TestSupport
import Testing

/// 16-bit floats against exact arithmetic on their bits.
@Suite struct ConversionTests {
  /// The value of IEEE half bits, by its definition.
  private func half(_ bits: UInt16) -> Double {
    let (sign, exponent, fraction) = (bits >> 15, Int(bits >> 10 & 31), Double(bits & 1023))
    let size =
      exponent == 31
      ? (fraction == 0 ? Double.infinity : .nan)
      : exponent == 0
        ? fraction * 0x1p-24 : (1 + fraction / 1024) * Foundation.pow(2, Double(exponent - 15))
    return sign == 1 ? -size : size
  }

  private func tensor(bits: [UInt16], dtype: DType) -> Tensor {
    let tensor = Tensor(uninitialized: [bits.count], dtype: dtype)
    bits.withUnsafeBytes { source in
      if let base = source.baseAddress {
        tensor.freshAddress.copyMemory(from: base, byteCount: source.count)
      }
    }
    return tensor
  }

  private func bits(_ tensor: Tensor) -> [UInt16] {
    tensor.withBytes { Array($0.bindMemory(to: UInt16.self)) }
  }

  /// Blocks of 32 by their definition (ggml's Q8_0): a scale of half precision, 32 signed bytes.
  @Test(arguments: [DType.float32, .float64]) func blocksAreNarrowedAndWidened(_ dtype: DType) {
    var draws = CounterGenerator(seed: 5)
    var x = Tensor.randomNormal([6, 64], using: &draws).floats
    for i in 32..<64 { x[i] = 0 }
    x[70] = 1e-9
    for i in 128..<160 { x[i] *= 1e-8 }
    let blocks = Tensor(x, shape: [6, 64]).converted(to: dtype).converted(to: .q8_0)
    let (bytes, widened) = (blocks.withBytes { Array($0) }, blocks.converted(to: dtype).doubles)
    for block in 0..<12 {
      let values = x[block * 32..<block * 32 + 32]
      let scale = values.reduce(0) { max($0, abs($1)) } / 127
      let kept = Tensor([scale]).converted(to: .float16)
      let pattern = UInt16(bytes[block * 34]) | UInt16(bytes[block * 34 + 1]) << 8
      #expect(pattern == bits(kept)[0])
      for (i, value) in values.enumerated() {
        let level = scale == 0 ? 0 : (value * (1 / scale)).rounded(.toNearestOrAwayFromZero)
        #expect(Int8(bitPattern: bytes[block * 34 + 2 + i]) == Int8(level))
        #expect(widened[block * 32 + i] == Double(kept.floats[0] * level))
      }
    }
  }

  /// A block with an element that is not finite comes back not finite.
  @Test(arguments: [Float.infinity, .nan]) func blocksShowWhatIsNotFinite(_ fault: Float) {
    var x = [Float](repeating: 1, count: 64)
    x[40] = fault
    let widened = Tensor(x).converted(to: .q8_0).converted(to: .float32).floats
    #expect(widened[..<32].allSatisfy { abs($0 - 1) < 1e-3 })
    #expect(widened[32...].allSatisfy { !$0.isFinite })
  }

  @Test func everyHalfWidensExactlyAndComesBack() {
    let all = (0...UInt16.max).map { $0 }
    for dtype in [DType.float32, .float64] {
      let wide = tensor(bits: all, dtype: .float16).converted(to: dtype)
      for (pattern, value) in zip(all, wide.doubles) {
        let expected = half(pattern)
        #expect(value == expected || (value.isNaN && expected.isNaN), "\(pattern)")
      }
      let back = bits(wide.converted(to: .float16))
      #expect(zip(all, back).allSatisfy { $0 == $1 || self.half($0).isNaN && self.half($1).isNaN })
    }
  }

  @Test func everyBFloatWidensExactlyAndComesBack() {
    let all = (0...UInt16.max).map { $0 }
    let wide = tensor(bits: all, dtype: .bfloat16).converted(to: .float32)
    #expect(
      zip(all, wide.floats).allSatisfy {
        let expected = Float(bitPattern: UInt32($0) << 16)
        return $1 == expected || ($1.isNaN && expected.isNaN)
      })
    let back = bits(wide.converted(to: .bfloat16))
    #expect(zip(zip(all, wide.floats), back).allSatisfy { $0.0 == $1 || $0.1.isNaN })
  }

  @Test func narrowingRoundsToNearestEvenOnce() {
    // Halfway between 1 and the next half, and the next double on either side of it.
    let middle = 1 + 0x1p-11
    let values = [
      middle, middle.nextUp, middle.nextDown, 1 + 3 * 0x1p-11, 65519.99, 65520, 0x1p-25,
      0x1p-25.nextUp, -0.0,
    ]
    let expected: [UInt16] = [0x3c00, 0x3c01, 0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1, 0x8000]
    #expect(bits(Tensor(values).converted(to: .float16)) == expected)
  }

  @Test func narrowingPicksTheNearest() {
    let x = Sample.uniform([20_000], seed: 31, low: -7, high: 7)
    for dtype in [DType.float16, .bfloat16] {
      let relative = dtype == .float16 ? 0x1p-11 : 0x1p-8
      let y = x.converted(to: dtype).converted(to: .float64).doubles
      #expect(zip(x.doubles, y).allSatisfy { abs($0 - $1) <= relative * max(abs($0), 0x1p-14) })
    }
  }
}
