/// MT19937: M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform
/// pseudo-random number generator" (1998). The engine of ``TorchGenerator`` and ``NumPyGenerator``.
package struct MersenneTwister: Sendable, Hashable {
  /// Words of state.
  package static let size = 624
  private static let middle = 397

  private var state: [UInt32]
  /// The next word to hand out; `size` when the state is used up.
  private var position: Int

  /// The state that the authors' `init_genrand` makes of a seed.
  package init(seed: UInt32) {
    state = [UInt32](repeating: seed, count: Self.size)
    for i in 1..<Self.size {
      state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
    }
    position = Self.size
  }

  /// The state that the authors' `init_by_array` makes of a key.
  package init(key: [UInt32]) {
    self.init(seed: 19_650_218)
    var i = 1
    func mixed(_ state: [UInt32], _ factor: UInt32) -> UInt32 {
      state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* factor)
    }
    func advance(_ state: inout [UInt32]) {
      i += 1
      if i == Self.size {
        state[0] = state[Self.size - 1]
        i = 1
      }
    }
    for k in 0..<max(Self.size, key.count) {
      let j = k % key.count
      state[i] = mixed(state, 1_664_525) &+ key[j] &+ UInt32(j)
      advance(&state)
    }
    for _ in 1..<Self.size {
      state[i] = mixed(state, 1_566_083_941) &- UInt32(i)
      advance(&state)
    }
    state[0] = 0x8000_0000
  }

  /// A state as it is: ``size`` words, of which those from `position` on are still to be handed out.
  package init(state: [UInt32], position: Int) {
    require(state.count == Self.size, "MersenneTwister", "\(state.count) words of state, not 624")
    self.state = state
    self.position = position
  }

  /// The next 32 bits.
  @inline(__always)
  package mutating func next() -> UInt32 {
    if position == Self.size { renew() }
    var y = state[position]
    position += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9d2c_5680
    y ^= (y << 15) & 0xefc6_0000
    return y ^ (y >> 18)
  }

  /// The next 64 bits: two draws, the first is the upper half.
  @inline(__always)
  package mutating func next64() -> UInt64 {
    let high = next()
    return UInt64(high) << 32 | UInt64(next())
  }

  private mutating func renew() {
    state.withUnsafeMutableBufferPointer { p in
      let (n, m) = (Self.size, Self.middle)
      func twist(_ i: Int, _ next: Int, _ far: Int) {
        let y = (p[i] & 0x8000_0000) | (p[next] & 0x7fff_ffff)
        p[i] = p[far] ^ (y >> 1) ^ ((0 &- (p[next] & 1)) & 0x9908_b0df)
      }
      for i in 0..<(n - m) { twist(i, i + 1, i + m) }
      for i in (n - m)..<(n - 1) { twist(i, i + 1, i + m - n) }
      twist(n - 1, 0, m - 1)
    }
    position = 0
  }
}

extension MersenneTwister: Codable {
  private enum CodingKeys: String, CodingKey { case state, position }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    state = try values.decode([UInt32].self, forKey: .state)
    position = try values.decode(Int.self, forKey: .position)
    guard state.count == Self.size, (0...Self.size).contains(position) else {
      throw DecodingError.dataCorruptedError(
        forKey: .state, in: values,
        debugDescription:
          "a Mersenne Twister has 624 words and a position of 0 to 624, "
          + "found \(state.count) words and position \(position)")
    }
  }
}
