import TensorCore

/// What decides which elements a training step drops: a pure value, from which every layer derives a key of its own.
///
/// The same key gives the same mask, so a block that is run a second time by activation checkpointing drops the same
/// elements, and a run that is resumed at a step drops what the unbroken run would have. An element's fate depends on
/// the key and its own index alone: not on the batch, threads or the order of calls.
public struct DropoutKey: Sendable, Hashable, Codable {
  private let seed: UInt64
  private let path: UInt64

  /// The key of one training step.
  public init(seed: UInt64, step: Int) {
    self.init(seed: seed, path: Self.mixed(UInt64(bitPattern: Int64(step)) ^ 0x6A09_E667_F3BC_C908))
  }

  private init(seed: UInt64, path: UInt64) {
    self.seed = seed
    self.path = path
  }

  /// The key of a part: parts of different numbers, and parts of parts, drop independently.
  public func part(_ index: Int) -> DropoutKey {
    let step = UInt64(bitPattern: Int64(index)) &+ 0x9E37_79B9_7F4A_7C15
    return DropoutKey(seed: seed, path: Self.mixed(path &+ Self.mixed(step)))
  }

  /// A bijection that spreads every bit (the finaliser of SplitMix64).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The mask: 0 with probability `rate`, else 1 / (1 - rate).
  fileprivate func mask(_ shape: [Int], dtype: DType, rate: Double) -> Tensor {
    var generator = CounterGenerator(seed: seed, stream: path)
    let draws = Tensor.randomUniform(shape, dtype: .float32, using: &generator)
    let kept = draws.withElements(as: Float.self) { draws in
      draws.map { Double($0) < rate ? Float(0) : Float(1 / (1 - rate)) }
    }
    return Tensor(kept, shape: shape).converted(to: dtype)
  }
}

extension Tensor {
  /// Dropout: each element is set to zero with probability `rate`, and the others are divided by `1 - rate`
  /// (Srivastava et al., 2014). As it is where `key` is `nil`, which is inference.
  ///
  /// - Parameter rate: 0 ..< 1.
  public func dropped(rate: Double, key: DropoutKey?) -> Tensor {
    guard let key, rate > 0 else { return self }
    return self * key.mask(shape, dtype: dtype, rate: rate)
  }
}
