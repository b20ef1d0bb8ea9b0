import Foundation

/// Philox 4x32-10 as PyTorch's `randn` and `rand` use it on CUDA.
///
/// Every call is a launch of `min(ceil(count / 256), blocks)` blocks of 256 threads. Thread `t` draws from the block
/// with key `seed` and counter `(offset, t)`; its four words (two, for float64) make the elements `t`,
/// `t + threads`, `t + 2 threads`, ..., and the offset goes up by one for each round. A call of at most `256 blocks`
/// elements is therefore the same on every device; a larger one depends on the device: `blocks` is its number of
/// multiprocessors times its greatest number of threads a multiprocessor over 256. Without `blocks` every element has
/// its own thread, which is what the ports in other tools do.
///
/// Sine, cosine and logarithm are the C library's, the device's differ in the last places: values agree to about 1e-6.
/// Integers below 2²⁸ and the permutation are for completeness: CUDA's `randperm` sorts keys, this one is Fisher-Yates.
public struct PhiloxGenerator: RandomGenerator {
  /// `torch.cuda.manual_seed(seed)`.
  public let seed: UInt64
  /// The most blocks of threads that the device runs at once; nil for a thread an element.
  public let blocks: Int?
  /// How many blocks of four words each thread has drawn so far.
  public private(set) var offset: UInt64 = 0

  /// The generator after `torch.cuda.manual_seed(seed)`, on a device that runs `blocks` blocks of threads at once.
  public init(seed: UInt64, blocks: Int? = nil) {
    require(
      (blocks ?? 1) >= 1, "PhiloxGenerator", "\(blocks ?? 0) blocks of threads: give 1 or more")
    self.seed = seed
    self.blocks = blocks
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    let (mean, deviation) = (Float(mean), Float(deviation))
    draw(buffer.count, perThread: 4) { words, place in
      let pair = place & ~1
      let u = Float(words[pair]) * 0x1p-32 + 0x1p-33
      let angle = Float(words[pair + 1]) * (0x1p-32 * 6.2831855) + (0x1p-33 * 6.2831855)
      let radius = (-2 * log(u)).squareRoot()
      return radius * (place == pair ? sin(angle) : cos(angle)) * deviation + mean
    } store: {
      buffer[$0] = $1
    }
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    draw(buffer.count, perThread: 2) { words, place in
      let u = Self.uniform53(words.lowHalf)
      let angle = 2 * Double.pi * Self.uniform53(words.highHalf)
      let radius = (-2 * log(u)).squareRoot()
      return radius * (place == 0 ? sin(angle) : cos(angle)) * deviation + mean
    } store: {
      buffer[$0] = $1
    }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    let (from, to) = (Float(low), Float(high))
    draw(buffer.count, perThread: 4) { words, place in
      let value = (Float(words[place]) * 0x1p-32 + 0x1p-33) * (to - from) + from
      return value == to ? from : value
    } store: {
      buffer[$0] = $1
    }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    draw(buffer.count, perThread: 2) { words, place in
      let draw = Self.uniform53(place == 0 ? words.lowHalf : words.highHalf)
      let value = draw * (high - low) + low
      return value == high ? low : value
    } store: {
      buffer[$0] = $1
    }
  }

  /// `count` integers that are uniform in `0..<bound`.
  public mutating func integers(below bound: Int, count: Int) -> [Int] {
    RandomArgument.checkIntegers(below: bound, count: count)
    var integers = [Int](repeating: 0, count: count)
    let range = UInt64(bound)
    let short = range < 1 << 28
    draw(count, perThread: short ? 4 : 2) { words, place in
      let pair = SIMD2(words[(place & 1) * 2], words[(place & 1) * 2 + 1])
      let draw = short ? UInt64(words[place]) : UInt64(pair[0]) << 32 | UInt64(pair[1])
      return Int(draw % range)
    } store: {
      integers[$0] = $1
    }
    return integers
  }

  /// A random order of `0..<count`.
  public mutating func permutation(_ count: Int) -> [Int] {
    RandomArgument.checkPermutation(count)
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, integer(below: i + 1))
    }
    return order
  }

  /// 53 bits, in (0, 1], of two words with the lower first.
  private static func uniform53(_ words: SIMD2<UInt32>) -> Double {
    Double(UInt64(words[0]) ^ UInt64(words[1]) << 21) * 0x1p-53 + 0x1p-54
  }

  /// Goes over `count` elements in the order of threads, and moves the offset.
  @inline(__always)
  private mutating func draw<Element>(
    _ count: Int, perThread: Int, _ value: (SIMD4<UInt32>, Int) -> Element,
    store: (Int, Element) -> Void
  ) {
    guard count > 0 else { return }
    let threads = 256 * min((count + 255) / 256, blocks ?? .max)
    let rounds = (count + threads * perThread - 1) / (threads * perThread)
    for round in 0..<rounds {
      let start = round * threads * perThread
      for thread in 0..<min(threads, count - start) {
        let words = Philox.block(key: seed, low: offset &+ UInt64(round), high: UInt64(thread))
        for place in 0..<perThread {
          let element = start + place * threads + thread
          if element < count { store(element, value(words, place)) }
        }
      }
    }
    offset &+= UInt64(rounds)
  }
}
