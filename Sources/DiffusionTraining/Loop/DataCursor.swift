import TensorCore

/// Where a run is in its data: every epoch is one permutation of the examples, drawn from the seed and the epoch's
/// number alone.
public struct DataCursor: Codable, Sendable, Equatable {
  /// The run's seed.
  public let seed: UInt64
  /// How many examples an epoch has.
  public let exampleCount: Int
  /// The current epoch, from 0.
  public private(set) var epoch = 0
  /// How many examples of the epoch were taken.
  public private(set) var position = 0
  private var order: [Int] = []

  private enum CodingKeys: String, CodingKey { case seed, exampleCount, epoch, position }

  /// The start of a run over `exampleCount` examples.
  public init(seed: UInt64, exampleCount: Int) {
    require(exampleCount > 0, "data cursor", "a run needs at least one example")
    self.seed = seed
    self.exampleCount = exampleCount
  }

  /// The next `count` examples; where an epoch ends, the next one goes on.
  public mutating func next(_ count: Int) -> [Int] {
    var taken: [Int] = []
    taken.reserveCapacity(count)
    while taken.count < count {
      if order.isEmpty { order = permutation }
      let end = min(exampleCount, position + count - taken.count)
      taken += order[position..<end]
      position = end
      if position == exampleCount {
        epoch += 1
        position = 0
        order = []
      }
    }
    return taken
  }

  private var permutation: [Int] {
    var generator = CounterGenerator(seed: seed, stream: Self.firstStream + UInt64(epoch))
    return generator.permutation(exampleCount)
  }

  /// The streams of the orders; those below are for other draws.
  private static let firstStream: UInt64 = 1 << 32

  /// Whether both are at the same place of the same run.
  public static func == (a: DataCursor, b: DataCursor) -> Bool {
    (a.seed, a.exampleCount, a.epoch, a.position) == (b.seed, b.exampleCount, b.epoch, b.position)
  }
}
