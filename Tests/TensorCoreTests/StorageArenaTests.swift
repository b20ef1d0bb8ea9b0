import TensorCore
import Testing

/// Blocks of the arena: apart from each other, at the same addresses for the same work, and given back.
@Suite struct StorageArenaTests {
  private struct Block: Hashable {
    let start: UInt
    let size: Int
  }

  /// Sizes of 1 to 64 pages from a fixed congruential sequence.
  private struct Sizes {
    var state: UInt64
    mutating func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
  }

  /// A block of `size` bytes; the system always has addresses.
  private func taken(
    _ size: Int, of arena: inout StorageArena
  ) throws -> (block: UInt, isFresh: Bool) {
    let found = arena.take(size)
    return try #require(found)
  }

  /// Takes and gives back blocks at random and gives them all back in the end.
  private func run(
    _ arena: inout StorageArena, seed: UInt64
  ) throws -> (starts: [UInt], fresh: Int, peak: Int) {
    var sizes = Sizes(state: seed)
    var (live, starts, fresh, used, peak) = ([Block](), [UInt](), 0, 0, 0)
    for _ in 0..<2000 {
      if live.count < 40 && (live.isEmpty || sizes.next(100) < 52) {
        let size = StorageArena.rounded(4096 * (1 + sizes.next(64)) - sizes.next(4096))
        let (start, isFresh) = try taken(size, of: &arena)
        for other in live {
          #expect(start + UInt(size) <= other.start || other.start + UInt(other.size) <= start)
        }
        live.append(Block(start: start, size: size))
        starts.append(start)
        fresh += isFresh ? 1 : 0
        used += size
        peak = max(peak, used)
      } else {
        let block = live.remove(at: sizes.next(live.count))
        arena.give(block.start, block.size)
        used -= block.size
      }
    }
    for block in live { arena.give(block.start, block.size) }
    return (starts, fresh, peak)
  }

  @Test func theSameWorkTakesTheSameMemory() throws {
    for seed: UInt64 in 1...5 {
      var arena = StorageArena()
      let first = try run(&arena, seed: seed)
      let held = arena.heldBytes
      #expect(first.fresh > 0 && held >= first.peak)
      let second = try run(&arena, seed: seed)
      #expect(second.starts == first.starts)
      #expect(second.fresh == 0 && arena.heldBytes == held)
    }
  }

  @Test func blocksOfOtherSizesShareMemory() throws {
    var arena = StorageArena()
    let page = StorageArena.rounded(1)
    for pages in [1, 3, 7, 16, 5, 64, 20, 63] {
      let (first, _) = try taken(pages * page, of: &arena)
      let (second, _) = try taken(page, of: &arena)
      arena.give(first, pages * page)
      arena.give(second, page)
    }
    // Every gap joins its neighbours, so that one block of all is there.
    #expect(arena.heldBytes == 65 * page)
    let all = try taken(65 * page, of: &arena)
    #expect(!all.isFresh)
  }

  @Test func memoryIsGivenBackAndComesAnew() throws {
    var arena = StorageArena()
    let size = StorageArena.rounded(3 << 20)
    let (kept, _) = try taken(size, of: &arena)
    let (given, _) = try taken(size, of: &arena)
    for start in [kept, given] {
      let bytes = try #require(UnsafeMutableRawPointer(bitPattern: start))
      bytes.initializeMemory(as: UInt8.self, repeating: 7, count: size)
    }
    arena.give(given, size)
    arena.trim()
    #expect(arena.heldBytes == size)
    arena.trim()
    #expect(arena.heldBytes == size)
    let bytes = try #require(UnsafeRawPointer(bitPattern: kept))
    #expect(bytes.load(as: UInt8.self) == 7)
    let (again, isFresh) = try taken(size, of: &arena)
    #expect(again == given && isFresh && arena.heldBytes == 2 * size)
  }

  @Test func rangesJoinAndAreCut() {
    var ranges = AddressRanges()
    ranges.insert(10..<20)
    ranges.insert(30..<40)
    ranges.insert(20..<30)
    #expect(ranges.ranges == [10..<40])
    let removed = [ranges.remove(15..<20), ranges.remove(12..<25)]
    #expect(removed == [5, 8])
    #expect(ranges.ranges == [10..<12, 25..<40])
    #expect(ranges.smallest(holding: 2) == 10..<12 && ranges.smallest(holding: 3) == 25..<40)
    #expect(ranges.smallest(holding: 16) == nil)
    let rest = ranges.remove(0..<100)
    #expect(rest == 17 && ranges.ranges.isEmpty)
  }
}
