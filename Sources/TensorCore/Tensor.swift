/// A dense, row-major array of numbers with a shape.
///
/// A value: copies share memory until one is written to. A tensor that was made from recorded ones by a
/// differentiable operation remembers how, in its origin; see ``Tape``.
public struct Tensor: Sendable {
  /// The length of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The type of the elements.
  public let dtype: DType
  var storage: Storage
  /// How this tensor was made, where that was recorded.
  package let origin: Origin?

  init(storage: Storage, shape: [Int], dtype: DType, origin: Origin? = nil) {
    self.storage = storage
    self.shape = shape
    self.dtype = dtype
    self.origin = origin
  }

  /// Memory for `shape`, not yet written. Every element is to be written before the tensor is handed on.
  package init(uninitialized shape: [Int], dtype: DType) {
    require(shape.allSatisfy { $0 >= 0 }, "tensor", "a shape has no negative lengths, got \(shape)")
    require(
      (shape.last ?? 1).isMultiple(of: dtype.blockLength), "tensor",
      "\(dtype) takes a last axis of whole blocks of \(dtype.blockLength), got \(shape)")
    self.init(
      storage: Storage(byteCount: dtype.byteCount(of: shape.reduce(1, *))), shape: shape,
      dtype: dtype)
  }

  /// A tensor over read-only memory that `owner` keeps alive (a mapped file); nothing is copied.
  ///
  /// `address` must be aligned for `dtype` and hold as many elements as `shape` says.
  package init(foreign address: UnsafeRawPointer, shape: [Int], dtype: DType, owner: AnyObject) {
    let storage = Storage(
      foreign: address, byteCount: dtype.byteCount(of: shape.reduce(1, *)), owner: owner)
    self.init(storage: storage, shape: shape, dtype: dtype)
  }

  /// How many elements there are.
  public var count: Int { shape.reduce(1, *) }

  /// How many axes there are.
  public var rank: Int { shape.count }

  /// How many bytes the elements take.
  public var byteCount: Int { dtype.byteCount(of: count) }

  /// The same values without the memory of how they were made: gradients stop here.
  public var detached: Tensor {
    origin == nil ? self : Tensor(storage: storage, shape: shape, dtype: dtype)
  }

  /// The same elements, in the same order, under another shape.
  func viewed(as shape: [Int]) -> Tensor {
    Tensor(storage: storage, shape: shape, dtype: dtype)
  }

  /// `axis` counted from the front: -1 is the last. Ends the program where there is no such axis.
  package func normalizedAxis(_ axis: Int, _ operation: String) -> Int {
    let index = axis < 0 ? axis + rank : axis
    require(
      index >= 0 && index < rank, operation, "no axis \(axis) in a tensor of shape \(shape)")
    return index
  }
}

// MARK: - Memory

extension Tensor {
  /// The first element's address, to read from while the tensor lives.
  package var readAddress: UnsafeRawPointer { UnsafeRawPointer(storage.address) }

  /// The first element's address in a tensor just made by `init(uninitialized:)`, to be filled by its maker.
  package var freshAddress: UnsafeMutableRawPointer { storage.address }

  /// Calls `body` with the elements, which must be of type `Scalar`.
  public func withElements<Scalar: TensorScalar, Result: ~Copyable, Failure: Error>(
    as type: Scalar.Type, _ body: (UnsafeBufferPointer<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    require(
      Scalar.dtype == dtype, "withElements", "the tensor holds \(dtype), not \(Scalar.dtype)")
    let start = readAddress.assumingMemoryBound(to: Scalar.self)
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeBufferPointer(start: start, count: count))
  }

  /// Calls `body` with the elements to change in place; memory that is shared is copied first.
  public mutating func withMutableElements<Scalar: TensorScalar, Result: ~Copyable, Failure: Error>(
    as type: Scalar.Type, _ body: (UnsafeMutableBufferPointer<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    require(
      Scalar.dtype == dtype, "withMutableElements", "the tensor holds \(dtype), not \(Scalar.dtype)"
    )
    let start = uniqueAddress().assumingMemoryBound(to: Scalar.self)
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeMutableBufferPointer(start: start, count: count))
  }

  /// The address of memory that no other tensor sees, copied if it has to be. A recorded tensor may not be written.
  package mutating func uniqueAddress() -> UnsafeMutableRawPointer {
    require(origin == nil, "write", "a recorded tensor is not written in place; detach it first")
    if !isKnownUniquelyReferenced(&storage) || !storage.isWritable {
      let copy = Storage(byteCount: byteCount)
      copy.address.copyMemory(from: storage.address, byteCount: byteCount)
      storage = copy
    }
    return storage.address
  }

  /// Calls `body` with the raw bytes, whatever the element type.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeRawBufferPointer(start: readAddress, count: byteCount))
  }
}
