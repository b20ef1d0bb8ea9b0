/// A block of memory that tensors share: 64-byte aligned and from the ``StoragePool``, or somebody else's
/// (a mapped file), kept alive and never written.
final class Storage: @unchecked Sendable {
  let address: UnsafeMutableRawPointer
  let byteCount: Int
  /// What keeps foreign memory alive; `nil` where the pool owns the block.
  private let foreignOwner: AnyObject?

  /// Memory of at least `byteCount` bytes with unspecified contents.
  init(byteCount: Int) {
    self.byteCount = byteCount
    address = StoragePool.shared.take(byteCount)
    foreignOwner = nil
  }

  /// Read-only memory that `owner` keeps alive.
  init(foreign address: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.byteCount = byteCount
    self.address = UnsafeMutableRawPointer(mutating: address)
    foreignOwner = owner
  }

  var isWritable: Bool { foreignOwner == nil }

  deinit {
    if foreignOwner == nil { StoragePool.shared.give(address, byteCount) }
  }
}
