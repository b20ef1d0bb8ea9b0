/// A block of memory that tensors share: 64-byte aligned and from the ``StoragePool``, or somebody else's
/// (a mapped file), kept alive and never written.
final class Storage: @unchecked Sendable {
  private let start: UnsafeMutableRawPointer
  let byteCount: Int
  /// What reads the contents when they are used, where they are not always there.
  let streamed: (any StreamedMemory)?
  /// What keeps foreign memory alive; `nil` where the pool owns the block.
  private let foreignOwner: AnyObject?

  /// Memory of at least `byteCount` bytes with unspecified contents.
  init(byteCount: Int) {
    self.byteCount = byteCount
    start = StoragePool.shared.take(byteCount)
    foreignOwner = nil
    streamed = nil
  }

  /// Read-only memory that `owner` keeps alive.
  init(foreign address: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.byteCount = byteCount
    start = UnsafeMutableRawPointer(mutating: address)
    foreignOwner = owner
    streamed = owner as? any StreamedMemory
  }

  /// Where the contents are; they are there.
  var address: UnsafeMutableRawPointer {
    streamed?.load()
    return start
  }

  var isWritable: Bool { foreignOwner == nil }

  deinit {
    if foreignOwner == nil { StoragePool.shared.give(start, byteCount) }
  }
}
