/// Which pairs of tokens merge, how early, and to what: a flat hash table, since it is asked several times a byte.
struct MergeTable: Sendable {
  /// A merge that may be done.
  struct Merge {
    /// Smaller goes first.
    let rank: UInt32
    let result: Int32
  }

  private static let free = UInt64.max
  private var keys: [UInt64]
  private var values: [Merge]
  private let shift: UInt64

  /// An empty table for `count` merges.
  init(count: Int) {
    let bits = max(4, Int.bitWidth - (count * 2).leadingZeroBitCount)
    keys = [UInt64](repeating: Self.free, count: 1 << bits)
    values = [Merge](repeating: Merge(rank: 0, result: 0), count: 1 << bits)
    shift = UInt64(64 - bits)
  }

  /// Adds a merge; of two for the same pair the later counts, as in the reference.
  mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
    let key = Self.key(left, right)
    let slot = slot(of: key)
    keys[slot] = key
    values[slot] = merge
  }

  /// What the pair merges to.
  func merge(_ left: Int32, _ right: Int32) -> Merge? {
    let key = Self.key(left, right)
    let slot = slot(of: key)
    return keys[slot] == key ? values[slot] : nil
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The key's place, or the free one where it belongs. At most half of the places are taken.
  private func slot(of key: UInt64) -> Int {
    var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[slot] != key && keys[slot] != Self.free { slot = (slot + 1) & (keys.count - 1) }
    return slot
  }
}
