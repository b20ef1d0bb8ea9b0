#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Addresses for large blocks, whose memory stays when a block is given back and serves whatever lies there next.
///
/// A block goes to the smallest gap that holds it. Which that is depends on the blocks in use alone, not on what was in
/// use before: work that is done again takes the same addresses again, and so needs no memory that it has not had.
/// Since gaps join and are cut, blocks of any sizes share their memory; what is held is little more than what was in use
/// at once.
package struct StorageArena {
  /// What no block has, those without memory included.
  private var gaps = AddressRanges()
  /// What of the gaps has no memory: it was never touched, or given back.
  private var absent = AddressRanges()
  /// Bytes that have memory, in use or not.
  package private(set) var heldBytes = 0

  /// No addresses yet.
  package init() {}

  /// A block's size is a multiple of the page's.
  package static func rounded(_ byteCount: Int) -> Int { (byteCount + page - 1) / page * page }

  /// A block of `size` bytes, a multiple of the page's, and whether some of it has no memory yet; `nil` where the system has
  /// no addresses left.
  package mutating func take(_ size: Int) -> (block: UInt, isFresh: Bool)? {
    let count = UInt(size)
    guard let gap = gaps.smallest(holding: count) ?? reserve(count) else { return nil }
    let taken = gap.lowerBound..<gap.lowerBound + count
    _ = gaps.remove(taken)
    let fresh = Int(absent.remove(taken))
    heldBytes += fresh
    return (taken.lowerBound, fresh > 0)
  }

  /// Takes a block back.
  package mutating func give(_ block: UInt, _ size: Int) {
    gaps.insert(block..<block + UInt(size))
  }

  /// Gives the memory of all gaps back to the system.
  package mutating func trim() {
    for gap in gaps.ranges {
      let count = gap.upperBound - gap.lowerBound
      let without = absent.remove(gap)
      absent.insert(gap)
      guard without < count, let start = UnsafeMutableRawPointer(bitPattern: gap.lowerBound)
      else { continue }
      madvise(start, Int(count), MADV_DONTNEED)
      heldBytes -= Int(count - without)
    }
  }

  private static let page = 4096
  /// Addresses asked for at a time: they cost nothing.
  private static let region: UInt = 1 << 36
  /// Regions begin at a multiple of this, so that huge pages serve them.
  private static let huge: UInt = 2 << 20

  /// More addresses; the gap that they are part of.
  private mutating func reserve(_ count: UInt) -> Range<UInt>? {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    // Where addresses are limited (`ulimit -v`), no more than the block.
    for size in [max(Self.region, count) + Self.huge, count + Self.huge] {
      guard let start = mmap(nil, Int(size), PROT_READ | PROT_WRITE, flags, -1, 0),
        start != MAP_FAILED
      else { continue }
      let end = UInt(bitPattern: start) + size
      let first = (UInt(bitPattern: start) + Self.huge - 1) / Self.huge * Self.huge
      #if canImport(Glibc)
        if let start = UnsafeMutableRawPointer(bitPattern: first) {
          madvise(start, Int(end - first), MADV_HUGEPAGE)
        }
      #endif
      gaps.insert(first..<end)
      absent.insert(first..<end)
      return gaps.smallest(holding: count)
    }
    return nil
  }
}
