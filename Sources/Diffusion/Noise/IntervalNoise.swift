import TensorCore

/// The engine's own noise: a function of a sample's seed and the interval alone. It keeps no state, so calls may come in
/// any order, and a trajectory that is cut off and resumed needs nothing but the seeds.
public struct IntervalNoise: NoiseSource, Hashable {
  /// One seed for each sample of the batch.
  public let seeds: [UInt64]

  /// Noise for samples with the given seeds.
  public init(seeds: [UInt64]) { self.seeds = seeds }

  /// Stream 0 of each seed.
  public mutating func initial(_ shape: [Int], dtype: DType) -> Tensor {
    drawn(shape, dtype, stream: 0)
  }

  /// The stream that belongs to the interval's two levels, how often they were visited, and the draw's number.
  public mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    let levels = [interval.from.signal, interval.from.noise, interval.to.signal, interval.to.noise]
    var stream = UInt64(draw) &+ 1 &+ UInt64(interval.visit) << 32
    for number in levels { stream = Self.mixed(stream ^ number.bitPattern) }
    return drawn(shape, dtype, stream: stream)
  }

  /// A stream of each seed, from its beginning.
  func drawn(_ shape: [Int], _ dtype: DType, stream: UInt64) -> Tensor {
    require(
      shape.first == seeds.count, "noise",
      "a batch of shape \(shape) and \(seeds.count) seeds: give one seed a sample")
    let samples = seeds.map { seed -> Tensor in
      var generator = CounterGenerator(seed: seed, stream: stream)
      return Tensor.randomNormal([1] + shape.dropFirst(), dtype: dtype, using: &generator)
    }
    return samples.count == 1 ? samples[0] : Tensor.concatenated(samples, axis: 0)
  }

  /// SplitMix64's finalizer: every bit of the input moves half of the output's.
  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
