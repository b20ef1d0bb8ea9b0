import CTensorKernels
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Keeps freed tensor memory for the next tensor of about its size.
///
/// Touching fresh pages costs more than most operations on them do, so blocks of 4 KiB and more are never given
/// back to the system unless ``trim()`` is called. Sizes are rounded up to one of eight classes an octave, so
/// at most an eighth is wasted.
public final class StoragePool: Sendable {
  /// The pool that every tensor uses.
  public static let shared = StoragePool()

  /// What the pool did since the program began.
  public struct Statistics: Sendable, Equatable {
    /// Blocks of 4 KiB and more that had to be asked of the system.
    public var misses = 0
    /// Blocks that were taken again.
    public var hits = 0
    /// Blocks below 4 KiB, which always come from `malloc`.
    public var small = 0
    /// Bytes the pool holds from the system, in use or waiting.
    public var heldBytes = 0
    /// Bytes in use now, and the most that ever were.
    public var usedBytes = 0
    /// The most bytes that were ever in use at once.
    public var peakUsedBytes = 0
  }

  private struct State {
    /// Addresses of waiting blocks, by size class.
    var free: [Int: [UInt]] = [:]
    var statistics = Statistics()
  }

  private static let pooled = 4096
  private let state: Mutex<State>

  private init() { state = Mutex(State()) }

  /// What the pool did so far.
  public var statistics: Statistics { state.withLock { $0.statistics } }

  /// Gives all waiting blocks back to the system.
  public func trim() {
    state.withLock { state in
      for (size, blocks) in state.free {
        for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) }
        state.statistics.heldBytes -= size * blocks.count
      }
      state.free = [:]
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
    let size = Self.sizeClass(byteCount)
    if size < Self.pooled {
      state.withLock { $0.statistics.small += 1 }
      return Self.allocate(size, alignment: 64)
    }
    let reused: UInt? = state.withLock { state in
      state.statistics.usedBytes += size
      state.statistics.peakUsedBytes = max(
        state.statistics.peakUsedBytes, state.statistics.usedBytes)
      if let block = state.free[size]?.popLast() {
        state.statistics.hits += 1
        return block
      }
      state.statistics.misses += 1
      state.statistics.heldBytes += size
      return nil
    }
    return reused.flatMap(UnsafeMutableRawPointer.init(bitPattern:))
      ?? Self.allocate(size, alignment: size >= Self.huge ? Self.huge : 4096)
  }

  func give(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.sizeClass(byteCount)
    if size < Self.pooled {
      free(address)
      return
    }
    let block = UInt(bitPattern: address)
    state.withLock { state in
      state.statistics.usedBytes -= size
      state.free[size, default: []].append(block)
    }
  }

  /// The smallest of eight classes an octave that holds `byteCount`.
  static func sizeClass(_ byteCount: Int) -> Int {
    let least = max(byteCount, 64)
    let octave = Int.bitWidth - 1 - least.leadingZeroBitCount
    let step = max(64, 1 << max(0, octave - 3))
    return (least + step - 1) / step * step
  }

  /// Blocks from here on are aligned to, and asked for as, huge pages.
  private static let huge = 2 << 20

  private static func allocate(_ size: Int, alignment: Int) -> UnsafeMutableRawPointer {
    var address: UnsafeMutableRawPointer?
    guard posix_memalign(&address, alignment, size) == 0, let address else {
      misuse("storage", "the system has no \(size) bytes left; lower the batch or the picture size")
    }
    #if canImport(Glibc)
      if size >= huge { madvise(address, size, MADV_HUGEPAGE) }
    #endif
    return address
  }
}
