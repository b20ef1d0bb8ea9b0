import TensorCore

/// One generator a sample, drawn from in turn, as diffusers does with a list of generators: compatible with the pictures
/// that PyTorch's and NumPy's seeds give.
///
/// Each draw is that of a batch of one, `[1, channels, height, width]`, put into channels-last order. A sample depends on
/// its seed and on how many draws were made for it before.
public struct SeededNoise: NoiseSource, Hashable {
  /// One generator for each sample of the batch.
  public private(set) var generators: [SeededGenerator]
  /// Whether numbers are drawn in the order that files have (channels before positions) and then moved.
  public let drawsChannelsFirst: Bool

  /// A generator of `kind` for each seed, one a sample.
  public init(
    _ kind: GeneratorKind = .torch, seeds: [UInt64], drawsChannelsFirst: Bool = true
  ) {
    generators = seeds.map { kind.generator(seed: $0) }
    self.drawsChannelsFirst = drawsChannelsFirst
  }

  /// The first draw of each generator.
  public mutating func initial(_ shape: [Int], dtype: DType) -> Tensor { draw(shape, dtype) }

  /// The next draw of each generator, whatever the interval.
  public mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    self.draw(shape, dtype)
  }

  private mutating func draw(_ shape: [Int], _ dtype: DType) -> Tensor {
    require(
      shape.first == generators.count, "noise",
      "a batch of shape \(shape) and \(generators.count) seeds: give one seed a sample")
    let samples = generators.indices.map { index -> Tensor in
      sample([1] + shape.dropFirst(), dtype, &generators[index])
    }
    return samples.count == 1 ? samples[0] : Tensor.concatenated(samples, axis: 0)
  }

  private func sample(
    _ shape: [Int], _ dtype: DType, _ generator: inout SeededGenerator
  ) -> Tensor {
    let rank = shape.count
    guard drawsChannelsFirst, rank > 2 else {
      return Tensor.randomNormal(shape, dtype: dtype, using: &generator)
    }
    let drawn = Tensor.randomNormal(
      [1, shape[rank - 1]] + shape[1..<(rank - 1)], dtype: dtype, using: &generator)
    return drawn.permuted([0] + Array(2..<rank) + [1])
  }
}
