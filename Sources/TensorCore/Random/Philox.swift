/// Philox 4x32-10, a function of 128 bits of counter and 64 bits of key: J. Salmon, M. Moraes, R. Dror and D. Shaw,
/// "Parallel Random Numbers: As Easy as 1, 2, 3" (2011).
package enum Philox {
  /// The four words at a counter, given as two halves of 64 bits.
  package static func block(key: UInt64, low: UInt64, high: UInt64) -> SIMD4<UInt32> {
    var (a, b) = (UInt32(truncatingIfNeeded: low), UInt32(low >> 32))
    var (c, d) = (UInt32(truncatingIfNeeded: high), UInt32(high >> 32))
    var (first, second) = (UInt32(truncatingIfNeeded: key), UInt32(key >> 32))
    for _ in 0..<10 {
      let p = UInt64(a) &* 0xD251_1F53
      let q = UInt64(c) &* 0xCD9E_8D57
      (a, c) = (UInt32(q >> 32) ^ b ^ first, UInt32(p >> 32) ^ d ^ second)
      (b, d) = (UInt32(truncatingIfNeeded: q), UInt32(truncatingIfNeeded: p))
      first &+= 0x9E37_79B9
      second &+= 0xBB67_AE85
    }
    return SIMD4(a, b, c, d)
  }
}
