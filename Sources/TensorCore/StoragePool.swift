import CTensorKernels
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Keeps freed tensor memory for the tensors that follow.
///
/// Touching fresh pages costs more than most operations on them do, so blocks of 4 KiB and more are never given
/// back to the system unless ``trim()`` is called. Large ones share their memory whatever their sizes are (see
/// ``StorageArena``); below 1 MiB, where looking for a gap would cost too much, a block serves again for its own size,
/// rounded up to one of eight classes an octave.
public final class StoragePool: Sendable {
  /// The pool that every tensor uses.
  public static let shared = StoragePool()

  /// What the pool did since the program began.
  public struct Statistics: Sendable, Equatable {
    /// Blocks of 4 KiB and more for which the system had to be asked for memory.
    public var misses = 0
    /// Blocks whose memory was there.
    public var hits = 0
    /// Blocks below 4 KiB, which always come from `malloc`.
    public var small = 0
    /// Bytes the pool holds from the system, in use or waiting.
    public var heldBytes = 0
    /// Bytes in use now.
    public var usedBytes = 0
    /// The most bytes that were ever in use at once.
    public var peakUsedBytes = 0
  }

  private struct State {
    /// Addresses of waiting blocks below ``StoragePool/large``, by size class.
    var free: [Int: [UInt]] = [:]
    /// The blocks from there on.
    var arena = StorageArena()
    /// Of the blocks below it.
    var smallHeldBytes = 0
    var statistics = Statistics()

    mutating func note(_ size: Int, isHit: Bool) {
      statistics.usedBytes += size
      statistics.peakUsedBytes = max(statistics.peakUsedBytes, statistics.usedBytes)
      if isHit { statistics.hits += 1 } else { statistics.misses += 1 }
    }
  }

  /// Blocks from here on are pooled.
  private static let pooled = 4 << 10
  /// Blocks from here on lie in the arena.
  private static let large = 1 << 20
  private let state: Mutex<State>

  private init() { state = Mutex(State()) }

  /// What the pool did so far.
  public var statistics: Statistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.heldBytes = state.smallHeldBytes + state.arena.heldBytes
      return statistics
    }
  }

  /// Forgets the most that was ever in use: from now on ``Statistics/peakUsedBytes`` is what follows.
  package func restartPeak() {
    state.withLock { $0.statistics.peakUsedBytes = $0.statistics.usedBytes }
  }

  /// Gives all waiting memory back to the system.
  public func trim() {
    state.withLock { state in
      for (size, blocks) in state.free {
        for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) }
        state.smallHeldBytes -= size * blocks.count
      }
      state.free = [:]
      state.arena.trim()
    }
    tk_trim_heap()
  }

  /// Calls `body` with at least `byteCount` bytes of unspecified contents, which come from the pool and go back to it.
  func withScratch(_ byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    let byteCount = max(Self.pooled, byteCount)
    let address = take(byteCount)
    body(address)
    give(address, byteCount)
  }

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = Self.blockSize(byteCount)
    if size < Self.pooled {
      state.withLock { $0.statistics.small += 1 }
      return Self.allocate(size, alignment: 64)
    }
    if size >= Self.large {
      let block = state.withLock { state in
        let found = state.arena.take(size)
        state.note(size, isHit: found?.isFresh == false)
        return found?.block
      }
      guard let address = block.flatMap(UnsafeMutableRawPointer.init(bitPattern:)) else {
        Self.exhausted(size)
      }
      return address
    }
    let reused: UInt? = state.withLock { state in
      let block = state.free[size]?.popLast()
      state.note(size, isHit: block != nil)
      if block == nil { state.smallHeldBytes += size }
      return block
    }
    return reused.flatMap(UnsafeMutableRawPointer.init(bitPattern:))
      ?? Self.allocate(size, alignment: 4096)
  }

  func give(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.blockSize(byteCount)
    if size < Self.pooled {
      free(address)
      return
    }
    let block = UInt(bitPattern: address)
    state.withLock { state in
      state.statistics.usedBytes -= size
      if size >= Self.large {
        state.arena.give(block, size)
      } else {
        state.free[size, default: []].append(block)
      }
    }
  }

  /// What a block of `byteCount` takes: the smallest of eight classes an octave that holds it, or whole pages.
  static func blockSize(_ byteCount: Int) -> Int {
    if byteCount >= large { return StorageArena.rounded(byteCount) }
    let least = max(byteCount, 64)
    let octave = Int.bitWidth - 1 - least.leadingZeroBitCount
    let step = max(64, 1 << max(0, octave - 3))
    return (least + step - 1) / step * step
  }

  private static func allocate(_ size: Int, alignment: Int) -> UnsafeMutableRawPointer {
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, alignment, size) == 0, let address else { exhausted(size) }
    return address
  }

  private static func exhausted(_ size: Int) -> Never {
    misuse("storage", "the system has no \(size) bytes left; lower the batch or the picture size")
  }
}
