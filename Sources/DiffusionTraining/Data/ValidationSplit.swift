import TensorCore

/// Which samples are kept from training to judge it by. The same data gives the same split, on any
/// machine and in any order of reading.
public enum ValidationSplit: Sendable, Equatable {
  /// Exactly `round(fraction * count)` samples, which ones by a hash of the seed and their
  /// identifiers.
  case fraction(Double, seed: UInt64)
  /// Every sample whose identifier hashes into the first `share` of all hashes: about that share,
  /// and a sample stays on its side when others are added.
  case hash(share: Double)

  /// The two sides' indices, each ascending.
  public func indices(of data: some Dataset) -> (training: [Int], validation: [Int]) {
    let isKept: (Int) -> Bool
    switch self {
    case .fraction(let fraction, let seed):
      Self.check(fraction)
      let order = (0..<data.count).map { (Self.hash(data.identifier(at: $0), seed: seed), $0) }
      let kept = Int((fraction * Double(data.count)).rounded())
      let chosen = Set(order.sorted { $0 < $1 }.prefix(kept).map(\.1))
      isKept = { chosen.contains($0) }
    case .hash(let share):
      Self.check(share)
      isKept = { Double(Self.hash(data.identifier(at: $0), seed: 0) >> 11) * 0x1p-53 < share }
    }
    let sides = Dictionary(grouping: 0..<data.count, by: isKept)
    return (sides[false] ?? [], sides[true] ?? [])
  }

  /// The two sides as data of their own.
  public func apply<Base: Dataset>(
    to data: Base
  ) -> (training: DatasetSubset<Base>, validation: DatasetSubset<Base>) {
    let (training, validation) = indices(of: data)
    return (DatasetSubset(data, indices: training), DatasetSubset(data, indices: validation))
  }

  private static func check(_ share: Double) {
    guard (0...1).contains(share) else {
      misuse(
        "ValidationSplit",
        "a share of \(share)"
          + ": the share is from 0 to 1")
    }
  }

  /// FNV-1a over the identifier's bytes (Fowler, Noll, Vo), then SplitMix64's finalizer (Steele and
  /// others 2014), because FNV's upper bits are poor on short texts.
  private static func hash(_ identifier: String, seed: UInt64) -> UInt64 {
    var hash = mixed(seed) ^ 0xCBF2_9CE4_8422_2325
    for byte in identifier.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return mixed(hash)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
