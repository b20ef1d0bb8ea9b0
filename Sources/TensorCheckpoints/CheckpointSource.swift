import TensorCore

/// What a checkpoint says of one tensor.
public struct CheckpointEntry: Hashable, Sendable {
  /// Its name, as in the file.
  public let name: String
  /// The type of its elements in the file.
  public let type: StoredType
  /// The length of each axis, outermost first, in the file's layout.
  public let shape: [Int]

  /// An entry.
  public init(name: String, type: StoredType, shape: [Int]) {
    self.name = name
    self.type = type
    self.shape = shape
  }

  /// How many elements there are.
  public var count: Int { shape.reduce(1, *) }
}

/// A file, or several that belong together, from which tensors are read by name.
public protocol CheckpointSource: Sendable {
  /// Where it is, for messages.
  var path: String { get }
  /// Every tensor, in the order of the file.
  var entries: [CheckpointEntry] { get }
  /// Texts that were stored beside the tensors.
  var metadata: [String: String] { get }
  /// What the source says of the tensor of this name (compared by its UTF-8 bytes); nil where there is none.
  func entry(named name: String) -> CheckpointEntry?
  /// The tensor of this name, in its stored type and layout; throws where there is none or it holds no floating-point
  /// numbers that tensors hold. Quantised elements are widened to float32.
  func tensor(named name: String) throws(CheckpointError) -> Tensor
  /// The elements of the tensor of this name as they are stored, of whatever type; throws where there is none.
  func elements(named name: String) throws(CheckpointError) -> StoredElements
}

extension CheckpointSource {
  /// The elements of what ``tensor(named:)`` gives, for sources that compute their tensors.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    StoredElements(try tensor(named: name), named: name, path: path)
  }

  /// The elements of an integer or truth-value tensor (0 or 1), in row-major order.
  public func integers(named name: String) throws(CheckpointError) -> [Int] {
    try elements(named: name).integers()
  }

  /// Calls `body` with the bytes of the tensor of this name as they are stored: row-major and little-endian.
  public func withBytes<Result>(
    named name: String, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(CheckpointError) -> Result {
    try elements(named: name).withBytes(body)
  }

  /// Gives back the memory that the file's pages of this tensor take; they are read anew when touched again.
  public func releasePages(of name: String) throws(CheckpointError) {
    try elements(named: name).releasePages()
  }
}
