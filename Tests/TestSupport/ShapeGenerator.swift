/// Lengths and ranges for tests over many shapes: the same ones in every run.
public struct ShapeGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// The same seed gives the same shapes.
  public init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  /// The next 64 bits of a xorshift generator.
  public mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// A length of 1 to `most`: a third are small, a third stand next to a multiple of 12 or 16, a third are any.
  public mutating func next(_ most: Int) -> Int {
    switch Int.random(in: 0..<3, using: &self) {
    case 0: return Int.random(in: 1...min(most, 8), using: &self)
    case 1:
      let step = Bool.random(using: &self) ? 12 : 16
      let near = step * Int.random(in: 0...most / step, using: &self)
      return min(most, max(1, near + Int.random(in: -1...1, using: &self)))
    default: return Int.random(in: 1...most, using: &self)
    }
  }

  /// A range within `0..<count` that is not empty.
  public mutating func range(_ count: Int) -> Range<Int> {
    let first = Int.random(in: 0..<count, using: &self)
    return first..<Int.random(in: first + 1...count, using: &self)
  }
}
