extension Unpickler {
  /// The storage that a persistent identifier names: `("storage", class, key, device, count)`, in files of before 2018
  /// with a view `(key, offset, count)` on it.
  mutating func storage(_ identifier: PickleValue) throws(FormatFault) -> PickleValue {
    guard let items = heap.sequence(identifier), items.count >= 5,
      case .text("storage") = items[0], case .global(let name) = items[1],
      let type = PickleGlobals.storageType(name), let key = text(items[2]),
      case .integer(let count) = items[4], count >= 0
    else { throw FormatFault("a persistent identifier that is no storage of elements") }
    var storage = PickledStorage(key: key, type: type, count: count)
    if items.count > 5, let view = heap.sequence(items[5]) {
      guard view.count == 3, case .integer(let offset) = view[1],
        case .integer(let part) = view[2], offset >= 0, offset <= count, part >= 0,
        part <= count - offset
      else { throw FormatFault("the view on storage \(quoted(key)) is no key, offset and count") }
      storage.view = offset..<offset + part
    }
    heap.storages.append(storage)
    return .storage(heap.storages.count - 1)
  }

  private func text(_ value: PickleValue) -> String? {
    switch value {
    case .text(let text): text
    case .integer(let number): String(number)
    default: nil
    }
  }

  /// What a call of an allowed name with these arguments stands for.
  mutating func made(
    by name: String, from arguments: [PickleValue]
  ) throws(FormatFault) -> PickleValue {
    if PickleGlobals.isScripted(name) {
      let members = heap.add()
      objects.insert(members)
      return .dictionary(members)
    }
    if PickleGlobals.dictionaries.contains(name) { return try dictionary(from: arguments) }
    if name == PickleGlobals.parameterDictionary {
      let module = heap.add()
      heap.parameterDictionaries.insert(module)
      return .dictionary(module)
    }
    if name == "torch.Size", let shape = arguments.first { return shape }
    guard PickleGlobals.rebuilders.contains(name) else { return .opaque }
    if name == "torch._tensor._rebuild_from_type_v2" {
      guard arguments.count >= 3, case .global(let function) = arguments[0], function != name,
        let inner = heap.sequence(arguments[2])
      else { throw FormatFault("a call of \(name) with arguments of another kind") }
      return try made(by: function, from: inner)
    }
    guard let first = arguments.first else { throw FormatFault("a call of \(name) with nothing") }
    switch first {
    case .tensor where name.hasSuffix("arameter") || name.hasSuffix("_with_state"): return first
    case .storage(let index) where name.contains("_rebuild_tensor"):
      return try tensor(over: heap.storages[index], by: name, from: arguments)
    default: throw FormatFault("a call of \(name) with neither tensor nor storage")
    }
  }

  /// A tensor from `(storage, offset, shape, strides, ...)`; the third version has its type at place 6.
  private mutating func tensor(
    over storage: PickledStorage, by name: String, from arguments: [PickleValue]
  ) throws(FormatFault) -> PickleValue {
    guard arguments.count >= 4, case .integer(let offset) = arguments[1], offset >= 0,
      let shape = heap.naturals(arguments[2]), let strides = heap.naturals(arguments[3]),
      shape.count == strides.count
    else { throw FormatFault("a tensor without offset, shape and strides of whole numbers") }
    var type = storage.type
    if name.hasSuffix("_v3"), arguments.count > 6, case .global(let name) = arguments[6] {
      type = PickleGlobals.dtype(name)
    } else if arguments.count > 6, case .dictionary(let index) = arguments[6],
      !heap.containers[index].isEmpty
    {
      throw FormatFault("a tensor whose conjugation or negation was left to be done")
    }
    guard let type else { throw FormatFault("a tensor over bytes without an element type") }
    heap.tensors.append(
      PickledTensor(storage: storage, type: type, offset: offset, shape: shape, strides: strides))
    return .tensor(heap.tensors.count - 1)
  }

  /// A dictionary from nothing, from another or from pairs (as Python 2 wrote them).
  private mutating func dictionary(
    from arguments: [PickleValue]
  ) throws(FormatFault) -> PickleValue {
    var items: [PickleValue] = []
    switch arguments.first {
    case .dictionary(let index): items = heap.containers[index]
    case .list(let index), .tuple(let index):
      for pair in heap.containers[index] {
        guard let pair = heap.sequence(pair), pair.count == 2 else {
          throw FormatFault("a dictionary from what is no pairs")
        }
        items += pair
      }
    default: break
    }
    copies -= items.count
    guard copies >= 0 else { throw FormatFault("the pickle copies more than it holds") }
    return .dictionary(heap.add(items))
  }
}
