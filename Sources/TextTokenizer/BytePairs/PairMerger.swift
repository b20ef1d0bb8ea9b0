/// Merges the symbols of one piece: always the pair of the lowest rank, of equal ones the leftmost (Sennrich et al. 2016).
///
/// Candidates wait in a heap and symbols are linked, so a piece of `n` bytes takes `n log n` steps.
struct PairMerger {
  private let table: MergeTable
  private var symbols: [Int32] = []
  /// The next and the previous symbol that still stands; -1 at the ends.
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// Rank above position, so that the smallest is the one to do.
  private var heap: [UInt64] = []

  init(_ table: MergeTable) { self.table = table }

  /// Appends the tokens that `input` merges to.
  mutating func merge(_ input: [Int32], into result: inout [Int]) {
    symbols = input
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    for index in 0..<Int32(input.count) {
      next.append(index + 1 < input.count ? index + 1 : -1)
      previous.append(index - 1)
    }
    heap.removeAll(keepingCapacity: true)
    for index in symbols.indices.dropLast() { offer(index) }
    while let top = popSmallest() { apply(top) }
    var index: Int32 = symbols.isEmpty ? -1 : 0
    while index >= 0 {
      result.append(Int(symbols[Int(index)]))
      index = next[Int(index)]
    }
  }

  /// Does a candidate, unless one of its symbols has merged with another since.
  private mutating func apply(_ candidate: UInt64) {
    let left = Int(candidate & 0xFFFF_FFFF)
    guard symbols[left] >= 0, next[left] >= 0 else { return }
    let right = Int(next[left])
    guard let merge = table.merge(symbols[left], symbols[right]),
      UInt64(merge.rank) == candidate >> 32
    else { return }
    symbols[left] = merge.result
    symbols[right] = -1
    next[left] = next[right]
    if next[left] >= 0 {
      previous[Int(next[left])] = Int32(left)
      offer(left)
    }
    if previous[left] >= 0 { offer(Int(previous[left])) }
  }

  /// Puts the pair that starts at `left` on the heap, if it merges.
  private mutating func offer(_ left: Int) {
    let right = Int(next[left])
    guard let merge = table.merge(symbols[left], symbols[right]) else { return }
    heap.append(UInt64(merge.rank) << 32 | UInt64(left))
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func popSmallest() -> UInt64? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return top }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return top }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { return top }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
