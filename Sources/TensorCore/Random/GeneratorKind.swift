/// The generators a picture's seed can be read with; the names are those of `--rng`.
public enum GeneratorKind: String, Sendable, Codable, CaseIterable {
  /// PyTorch's CPU generator: ``TorchGenerator``.
  case torch
  /// NumPy's legacy generator: ``NumPyGenerator``.
  case numpy
  /// PyTorch's CUDA generator: ``PhiloxGenerator``, with a thread an element.
  case philox

  /// A generator of this kind.
  public func generator(seed: UInt64) -> SeededGenerator {
    switch self {
    case .torch: .torch(TorchGenerator(seed: seed))
    case .numpy: .numpy(NumPyGenerator(seed: seed))
    case .philox: .philox(PhiloxGenerator(seed: seed))
    }
  }
}

/// A generator whose kind is chosen at run time.
public enum SeededGenerator: RandomGenerator {
  /// PyTorch's CPU generator.
  case torch(TorchGenerator)
  /// NumPy's legacy generator.
  case numpy(NumPyGenerator)
  /// PyTorch's CUDA generator.
  case philox(PhiloxGenerator)
  /// The engine's own stream.
  case counter(CounterGenerator)

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Double, deviation: Double
  ) {
    with { $0.fillNormal(buffer, mean: mean, deviation: deviation) }
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double, deviation: Double
  ) {
    with { $0.fillNormal(buffer, mean: mean, deviation: deviation) }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, low: Double, high: Double
  ) {
    with { $0.fillUniform(buffer, low: low, high: high) }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, low: Double, high: Double
  ) {
    with { $0.fillUniform(buffer, low: low, high: high) }
  }

  /// `count` integers that are uniform in `0..<bound`.
  public mutating func integers(below bound: Int, count: Int) -> [Int] {
    with { $0.integers(below: bound, count: count) }
  }

  /// A random order of `0..<count`.
  public mutating func permutation(_ count: Int) -> [Int] {
    with { $0.permutation(count) }
  }

  private mutating func with<Result>(_ body: (inout any RandomGenerator) -> Result) -> Result {
    func apply<Generator: RandomGenerator>(
      _ generator: Generator, _ wrap: (Generator) -> Self
    ) -> Result {
      var erased: any RandomGenerator = generator
      let result = body(&erased)
      if let moved = erased as? Generator { self = wrap(moved) }
      return result
    }
    switch self {
    case .torch(let generator): return apply(generator, Self.torch)
    case .numpy(let generator): return apply(generator, Self.numpy)
    case .philox(let generator): return apply(generator, Self.philox)
    case .counter(let generator): return apply(generator, Self.counter)
    }
  }
}
