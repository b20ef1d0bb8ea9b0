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
  /// numbers that tensors hold.
  func tensor(named name: String) throws(CheckpointError) -> Tensor
}
