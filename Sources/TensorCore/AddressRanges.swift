/// A set of addresses as ranges in order, none of which touch.
package struct AddressRanges: Sendable {
  package private(set) var ranges: [Range<UInt>] = []

  /// None.
  package init() {}

  /// The smallest range that holds `count` addresses, of several the first.
  package func smallest(holding count: UInt) -> Range<UInt>? {
    var best: Range<UInt>?
    for range in ranges {
      let length = range.upperBound - range.lowerBound
      guard length >= count else { continue }
      if length == count { return range }
      if let found = best, length >= found.upperBound - found.lowerBound { continue }
      best = range
    }
    return best
  }

  /// Adds `range`, of which nothing is in the set.
  package mutating func insert(_ range: Range<UInt>) {
    let place = firstIndex(endingBehind: range.lowerBound)
    var (joined, replaced) = (range, place..<place)
    if place > 0, ranges[place - 1].upperBound == range.lowerBound {
      joined = ranges[place - 1].lowerBound..<joined.upperBound
      replaced = place - 1..<replaced.upperBound
    }
    if place < ranges.count, ranges[place].lowerBound == range.upperBound {
      joined = joined.lowerBound..<ranges[place].upperBound
      replaced = replaced.lowerBound..<place + 1
    }
    ranges.replaceSubrange(replaced, with: CollectionOfOne(joined))
  }

  /// Takes away what of `range` is in the set, and gives how much that was.
  package mutating func remove(_ range: Range<UInt>) -> UInt {
    var removed: UInt = 0
    var index = firstIndex(endingBehind: range.lowerBound)
    while index < ranges.count, ranges[index].lowerBound < range.upperBound {
      let (old, gone) = (ranges[index], ranges[index].clamped(to: range))
      removed += gone.upperBound - gone.lowerBound
      let left = [old.lowerBound..<gone.lowerBound, gone.upperBound..<old.upperBound]
        .filter { !$0.isEmpty }
      ranges.replaceSubrange(index...index, with: left)
      index += left.count
    }
    return removed
  }

  /// The first range with something behind `address`, by halving.
  private func firstIndex(endingBehind address: UInt) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > address { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
