extension StoredType {
  /// The blocks of a quantised type; nil for the types whose elements stand alone.
  var quantization: Quantization? {
    switch self {
    case .q4_0: Self.fourBits
    case .q4_1: Self.fourBitsFromMinimum
    case .q5_0: Self.fiveBits
    case .q5_1: Self.fiveBitsFromMinimum
    case .q8_0: Self.eightBits
    case .q4_K: Self.fourBitsSuper
    case .q5_K: Self.fiveBitsSuper
    case .q6_K: Self.sixBitsSuper
    default: nil
    }
  }

  /// `d q` with q from -128 to 127: scale, then 32 signed bytes.
  private static let eightBits = Quantization(32, 34) { block, target in
    let scale = block.half(at: 0)
    for i in 0..<32 {
      target[i] = scale * Float(block.load(fromByteOffset: 2 + i, as: Int8.self))
    }
  }

  /// `d (q - 8)`: scale, then 16 bytes with element `i` below and `i + 16` above.
  private static let fourBits = Quantization(32, 18) { block, target in
    let scale = block.half(at: 0)
    for i in 0..<16 {
      let pair = block.byte(at: 2 + i)
      target[i] = scale * Float(pair & 15 - 8)
      target[i + 16] = scale * Float(pair >> 4 - 8)
    }
  }

  /// `d q + m`: scale and minimum, then as Q4_0.
  private static let fourBitsFromMinimum = Quantization(32, 20) { block, target in
    let (scale, minimum) = (block.half(at: 0), block.half(at: 2))
    for i in 0..<16 {
      let pair = block.byte(at: 4 + i)
      target[i] = scale * Float(pair & 15) + minimum
      target[i + 16] = scale * Float(pair >> 4) + minimum
    }
  }

  /// `d (q - 16)`: scale, the fifth bits of all 32 elements, then as Q4_0.
  private static let fiveBits = Quantization(32, 22) { block, target in
    let (scale, high) = (block.half(at: 0), block.word(at: 2))
    for i in 0..<16 {
      let pair = block.byte(at: 6 + i)
      target[i] = scale * Float(pair & 15 | (high >> i & 1) << 4 - 16)
      target[i + 16] = scale * Float(pair >> 4 | (high >> (i + 16) & 1) << 4 - 16)
    }
  }

  /// `d q + m`: scale, minimum, the fifth bits, then as Q4_0.
  private static let fiveBitsFromMinimum = Quantization(32, 24) { block, target in
    let (scale, minimum, high) = (block.half(at: 0), block.half(at: 2), block.word(at: 4))
    for i in 0..<16 {
      let pair = block.byte(at: 8 + i)
      target[i] = scale * Float(pair & 15 | (high >> i & 1) << 4) + minimum
      target[i + 16] = scale * Float(pair >> 4 | (high >> (i + 16) & 1) << 4) + minimum
    }
  }

  /// `d s q - e m`: eight groups of 32, each with its scale s and minimum m of six bits; d and e are the block's.
  private static let fourBitsSuper = Quantization(256, 144) { block, target in
    for group in 0..<8 {
      let (scale, minimum) = block.superScale(group)
      let shift = group % 2 * 4
      for i in 0..<32 {
        let value = block.byte(at: 16 + group / 2 * 32 + i) >> shift & 15
        target[group * 32 + i] = scale * Float(value) - minimum
      }
    }
  }

  /// As Q4_K, with the fifth bit of element `i` of group `g` in bit `g` of byte `i` of 32.
  private static let fiveBitsSuper = Quantization(256, 176) { block, target in
    for group in 0..<8 {
      let (scale, minimum) = block.superScale(group)
      let shift = group % 2 * 4
      for i in 0..<32 {
        let low = block.byte(at: 48 + group / 2 * 32 + i) >> shift & 15
        let value = low | (block.byte(at: 16 + i) >> group & 1) << 4
        target[group * 32 + i] = scale * Float(value) - minimum
      }
    }
  }

  /// `d s (q - 32)`: two halves of 128; in each the low four bits of element `i` and `i + 64` share a byte, and the high
  /// two of `i`, `i + 32`, `i + 64` and `i + 96` another. A signed scale s for every 16 elements.
  private static let sixBitsSuper = Quantization(256, 210) { block, target in
    let scale = block.half(at: 208)
    for part in 0..<8 {
      let (half, quarter) = (part / 4, part % 4)
      let shift = quarter / 2 * 4
      for i in 0..<32 {
        let low = block.byte(at: half * 64 + quarter % 2 * 32 + i) >> shift & 15
        let high = block.byte(at: 128 + half * 32 + i) >> (quarter * 2) & 3
        let group = block.load(
          fromByteOffset: 192 + half * 8 + quarter * 2 + i / 16, as: Int8.self)
        target[part * 32 + i] = scale * Float(group) * Float(low | high << 4 - 32)
      }
    }
  }
}

extension UnsafeRawPointer {
  fileprivate func byte(at offset: Int) -> Int {
    Int(load(fromByteOffset: offset, as: UInt8.self))
  }

  fileprivate func word(at offset: Int) -> Int {
    Int(UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }

  /// A half-precision number: its exponent and fraction moved into place, then the difference of the biases.
  fileprivate func half(at offset: Int) -> Float {
    let bits = UInt32(UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    let magnitude = Float(bitPattern: (bits & 0x7fff) << 13)
    let value =
      bits & 0x7c00 == 0x7c00
      ? Float(bitPattern: magnitude.bitPattern | 0x7f80_0000) : magnitude * 0x1p112
    return bits & 0x8000 == 0 ? value : -value
  }

  /// Scale and minimum of one of eight groups: in twelve bytes, four with six bits of each of the first four scales and
  /// two high bits of a later one, four of the minima likewise, and four with the low four bits of the later ones.
  fileprivate func superScale(_ group: Int) -> (scale: Float, minimum: Float) {
    let (scale, minimum): (Int, Int)
    if group < 4 {
      (scale, minimum) = (byte(at: 4 + group) & 63, byte(at: 8 + group) & 63)
    } else {
      let low = byte(at: 8 + group)
      scale = low & 15 | (byte(at: group) >> 6) << 4
      minimum = low >> 4 | (byte(at: 4 + group) >> 6) << 4
    }
    return (half(at: 0) * Float(scale), half(at: 2) * Float(minimum))
  }
}
