import CTensorKernels

/// The engine's own stream, for training: Philox 4x32-10 read as one long row of 32-bit words, with the seed as the
/// key, the stream in the upper half of the counter and the position in the lower.
///
/// Word `w` is word `w % 4` of the block at counter `(w / 4, stream)`. A float32 takes one word, a float64 or an integer
/// two that begin at an even place. So what an element is depends on its place alone: any element can be had by itself,
/// fills of `n` and `m` equal one of `n + m`, skipping is free, and streams of one seed (one for the noise, one for the
/// order of the data, one a sample) never meet. Normals are Box-Muller's, of words 0 and 1, and 2 and 3 of a block.
/// The same bits come at every instruction set for float32, and for float64 on one C library.
public struct CounterGenerator: RandomGenerator {
  /// The key.
  public let seed: UInt64
  /// Which of the seed's streams.
  public let stream: UInt64
  /// The next word. Set it to go anywhere.
  public var position: UInt64

  /// A stream of `seed`, from `position`.
  public init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
    self.position = position
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    let first = take(buffer.count, words: 1)
    guard let start = buffer.baseAddress else { return }
    tk_philox_normal(TK_FLOAT32, seed, stream, first, buffer.count, mean, deviation, start)
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    let first = take(buffer.count, words: 2)
    guard let start = buffer.baseAddress else { return }
    tk_philox_normal(TK_FLOAT64, seed, stream, first, buffer.count, mean, deviation, start)
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    let first = take(buffer.count, words: 1)
    guard let start = buffer.baseAddress else { return }
    tk_philox_uniform(TK_FLOAT32, seed, stream, first, buffer.count, low, high, start)
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    let first = take(buffer.count, words: 2)
    guard let start = buffer.baseAddress else { return }
    tk_philox_uniform(TK_FLOAT64, seed, stream, first, buffer.count, low, high, start)
  }

  /// The upper half of 64 bits times `bound`: uneven by less than `bound` in 2⁶⁴.
  public mutating func integers(below bound: Int, count: Int) -> [Int] {
    RandomArgument.checkIntegers(below: bound, count: count)
    let first = take(count, words: 2)
    return (0..<UInt64(count)).map { i in
      let word = first &+ 2 &* i
      let block = Philox.block(key: seed, low: word / 4, high: stream)
      let pair = word % 4 == 0 ? block.lowHalf : block.highHalf
      let draw = UInt64(pair[0]) << 32 | UInt64(pair[1])
      return Int(draw.multipliedFullWidth(by: UInt64(bound)).high)
    }
  }

  /// Fisher-Yates from the end.
  public mutating func permutation(_ count: Int) -> [Int] {
    RandomArgument.checkPermutation(count)
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, integer(below: i + 1))
    }
    return order
  }

  /// Takes the words of `count` elements; elements of two words begin at an even place.
  private mutating func take(_ count: Int, words: UInt64) -> UInt64 {
    Backend.prepare()
    let first = words == 2 ? (position &+ 1) & ~1 : position
    if count > 0 { position = first &+ words &* UInt64(count) }
    return first
  }
}
