/// A source of random numbers as a value: copy it and both copies go on alike, encode it and the decoded one goes on
/// where it stood. There is no global generator.
///
/// What a seed gives is fixed for each conforming type and is written there; whether two fills of `n` equal one of
/// `2 n` differs, and is written there too.
public protocol RandomGenerator: Sendable, Codable, Hashable {
  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Double, deviation: Double)

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double, deviation: Double)

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, low: Double, high: Double)

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, low: Double, high: Double)

  /// `count` integers that are uniform in `0..<bound`; `bound` is at least 1.
  mutating func integers(below bound: Int, count: Int) -> [Int]

  /// A random order of `0..<count`.
  mutating func permutation(_ count: Int) -> [Int]
}

extension RandomGenerator {
  /// `count` draws of N(`mean`, `deviation`²) in float32.
  public mutating func normalFloats(
    _ count: Int, mean: Double = 0, deviation: Double = 1
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      fillNormal(.init(rebasing: buffer[..<count]), mean: mean, deviation: deviation)
      initialized = count
    }
  }

  /// `count` draws of N(`mean`, `deviation`²) in float64.
  public mutating func normalDoubles(
    _ count: Int, mean: Double = 0, deviation: Double = 1
  ) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      fillNormal(.init(rebasing: buffer[..<count]), mean: mean, deviation: deviation)
      initialized = count
    }
  }

  /// `count` draws that are uniform in `low..<high`, in float32.
  public mutating func uniformFloats(
    _ count: Int, low: Double = 0, high: Double = 1
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      fillUniform(.init(rebasing: buffer[..<count]), low: low, high: high)
      initialized = count
    }
  }

  /// `count` draws that are uniform in `low..<high`, in float64.
  public mutating func uniformDoubles(
    _ count: Int, low: Double = 0, high: Double = 1
  ) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      fillUniform(.init(rebasing: buffer[..<count]), low: low, high: high)
      initialized = count
    }
  }

  /// One integer that is uniform in `0..<bound`.
  public mutating func integer(below bound: Int) -> Int {
    integers(below: bound, count: 1)[0]
  }
}

/// What every generator asks of its arguments.
enum RandomArgument {
  static func checkNormal(mean: Double, deviation: Double) {
    require(
      mean.isFinite && deviation.isFinite && deviation >= 0, "random normal",
      "mean \(mean) and deviation \(deviation): both are to be finite, the deviation not negative")
  }

  static func checkUniform(low: Double, high: Double) {
    require(
      low.isFinite && high.isFinite && low <= high, "random uniform",
      "the interval \(low)..<\(high) is to be finite and its ends in order")
  }

  static func checkIntegers(below bound: Int, count: Int) {
    require(
      bound >= 1 && count >= 0, "random integers",
      "\(count) integers below \(bound): the bound is to be at least 1, the count at least 0")
  }

  static func checkPermutation(_ count: Int) {
    require(count >= 0, "random permutation", "of \(count) elements: give 0 or more")
  }
}
