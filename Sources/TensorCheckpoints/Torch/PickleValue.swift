/// What a pickle holds, as far as it is data. Containers are numbered in a ``PickleHeap``, so values never nest: a pickle
/// as deep or as circular as its file is long takes no recursion to build or to free.
enum PickleValue {
  case none
  case truth(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case bytes([UInt8])
  /// The dotted name of something on the list of what is allowed.
  case global(String)
  case tuple(Int)
  case list(Int)
  /// Keys and values in turn.
  case dictionary(Int)
  case storage(Int)
  case tensor(Int)
  /// An object whose content does not matter for tensors.
  case opaque
}

/// A block of elements that tensors of a pickle share.
struct PickledStorage {
  /// Under which name its bytes are in the file.
  let key: String
  /// The type of its elements; nil where it is bytes of which each tensor says the type.
  let type: StoredType?
  /// How many elements are under ``key``.
  let count: Int
  /// The part of them that this is, where it is not all.
  var view: Range<Int>?
}

/// A tensor over a storage.
struct PickledTensor {
  let storage: PickledStorage
  let type: StoredType
  /// The first element, counted in elements from the start of the storage.
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// Everything that values of one pickle refer to.
struct PickleHeap {
  var containers: [[PickleValue]] = []
  var storages: [PickledStorage] = []
  var tensors: [PickledTensor] = []
  /// Those of the containers that stand for modules of parameters, whose state says what they hold.
  var parameterDictionaries: Set<Int> = []

  mutating func add(_ items: [PickleValue] = []) -> Int {
    containers.append(items)
    return containers.count - 1
  }

  /// The items of a tuple or list.
  func sequence(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .tuple(let index), .list(let index): containers[index]
    default: nil
    }
  }

  /// A tuple or list of whole numbers from 0, as long as PyTorch lets a tensor have axes.
  func naturals(_ value: PickleValue) -> [Int]? {
    guard let items = sequence(value), items.count <= 64 else { return nil }
    var values: [Int] = []
    for item in items {
      guard case .integer(let number) = item, number >= 0 else { return nil }
      values.append(number)
    }
    return values
  }
}
