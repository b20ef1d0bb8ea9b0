import Foundation

/// NumPy's legacy generator: the bits of `numpy.random.RandomState(seed)` with `randn`, `random_sample`, `randint`
/// and `permutation`.
///
/// MT19937; uniforms of 53 bits; normals by Marsaglia's polar method in float64, the second of a pair waiting for the
/// next call, so that fills of `n` and `m` equal one of `n + m`. float32 fills are the float64 values, rounded.
public struct NumPyGenerator: RandomGenerator {
  private var engine: MersenneTwister
  /// The second of the last pair of normals.
  private var waiting: Double?

  /// `RandomState(seed)`. NumPy refuses seeds of more than 32 bits; here such a seed is
  /// `RandomState([low, high])` of its two halves.
  public init(seed: UInt64) {
    let (low, high) = (UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32))
    engine = high == 0 ? MersenneTwister(seed: low) : MersenneTwister(key: [low, high])
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    for i in buffer.indices { buffer[i] = Float(mean + deviation * normal()) }
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    for i in buffer.indices { buffer[i] = mean + deviation * normal() }
  }

  /// Rounding to float32 may reach `high`: such a draw is the number below it.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    let (least, most) = (Float(low), max(Float(low), Float(high).nextDown))
    for i in buffer.indices {
      buffer[i] = min(max(Float(low + (high - low) * uniform()), least), most)
    }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    for i in buffer.indices { buffer[i] = low + (high - low) * uniform() }
  }

  /// `randint(bound, size=count)`: draws of as many bits as `bound - 1` has, until one is below `bound`.
  public mutating func integers(below bound: Int, count: Int) -> [Int] {
    RandomArgument.checkIntegers(below: bound, count: count)
    return (0..<count).map { _ in Int(integer(upTo: UInt64(bound - 1))) }
  }

  /// `permutation(count)`: Fisher-Yates from the end.
  public mutating func permutation(_ count: Int) -> [Int] {
    RandomArgument.checkPermutation(count)
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(integer(upTo: UInt64(i))))
    }
    return order
  }

  private mutating func uniform() -> Double {
    let high = Double(engine.next() >> 5)
    return (high * 0x1p26 + Double(engine.next() >> 6)) / 0x1p53
  }

  private mutating func normal() -> Double {
    if let value = waiting {
      waiting = nil
      return value
    }
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      guard square < 1, square != 0 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      waiting = factor * x
      return factor * y
    }
  }

  private mutating func integer(upTo most: UInt64) -> UInt64 {
    guard most > 0 else { return 0 }
    let mask = UInt64.max >> most.leadingZeroBitCount
    while true {
      let draw = (most >> 32 == 0 ? UInt64(engine.next()) : engine.next64()) & mask
      if draw <= most { return draw }
    }
  }
}
