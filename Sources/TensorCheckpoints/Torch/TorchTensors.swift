/// The tensors of a pickle under dotted names, and the plain values beside them.
///
/// Dictionaries within dictionaries (and lists) give names with dots between. Where the outermost dictionary has a
/// `state_dict` (as Lightning writes it), its tensors are the file's, without that prefix, and those beside it (an
/// optimizer's) are passed over. A tensor by itself is named `tensor`.
struct TorchTensors {
  private(set) var tensors: [(name: String, tensor: PickledTensor)] = []
  private(set) var metadata: [String: String] = [:]
  private let heap: PickleHeap
  private var names: Set<TensorName> = []
  /// What may yet be visited: shared containers could otherwise stand for more than any memory holds.
  private var visits = 1 << 22
  private var nameBytes = 1 << 26

  init(_ content: TorchContent) throws(FormatFault) {
    heap = content.heap
    var pairs: [(name: String, value: PickleValue)] = []
    if case .dictionary(let root) = content.root { pairs = try items(root) }
    if let state = pairs.first(where: { $0.name == "state_dict" })?.value,
      case .dictionary = state
    {
      for (name, value) in pairs { note(value, name) }
      try visit(state, "", depth: 0)
    } else {
      try visit(content.root, "", depth: 0)
    }
  }

  private mutating func visit(
    _ value: PickleValue, _ name: String, depth: Int
  ) throws(FormatFault) {
    try count(name, depth)
    switch value {
    case .tensor(let index):
      let name = depth == 0 ? "tensor" : name
      guard names.insert(TensorName(name)).inserted else {
        throw FormatFault("two tensors would be named \(quoted(name))")
      }
      tensors.append((name, heap.tensors[index]))
    case .dictionary(let index):
      for (key, value) in try items(index) {
        let inner = depth == 0 ? key : "\(name).\(key)"
        note(value, inner)
        try visit(value, inner, depth: depth + 1)
      }
    case .list(let index), .tuple(let index):
      for (position, value) in heap.containers[index].enumerated() {
        try visit(value, depth == 0 ? "\(position)" : "\(name).\(position)", depth: depth + 1)
      }
    default: break
    }
  }

  private mutating func count(_ name: String, _ depth: Int) throws(FormatFault) {
    guard depth <= 100 else { throw FormatFault("dictionaries nested deeper than 100") }
    visits -= 1
    nameBytes -= name.utf8.count
    guard visits >= 0, nameBytes >= 0 else {
      throw FormatFault("more than 4 million values, or names of more than 64 MiB")
    }
  }

  /// Keys and values in the order of the keys' first appearance; a key that is set twice has the last value.
  private mutating func items(
    _ dictionary: Int
  ) throws(FormatFault) -> [(name: String, value: PickleValue)] {
    let items = heap.containers[dictionary]
    visits -= items.count / 2
    guard visits >= 0 else { throw FormatFault("more than 4 million values") }
    var pairs: [(name: String, value: PickleValue)] = []
    var places: [TensorName: Int] = [:]
    for index in stride(from: 0, to: items.count - 1, by: 2) {
      let name = text(items[index]) ?? "#\(index / 2)"
      if let place = places.updateValue(pairs.count, forKey: TensorName(name)) {
        places[TensorName(name)] = place
        pairs[place].value = items[index + 1]
      } else {
        pairs.append((name, items[index + 1]))
      }
    }
    return pairs
  }

  /// Keeps a plain value as a text of the metadata.
  private mutating func note(_ value: PickleValue, _ name: String) {
    if let text = text(value) { metadata[name] = text }
  }

  private func text(_ value: PickleValue) -> String? {
    switch value {
    case .text(let text), .global(let text): text
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .truth(let truth): "\(truth)"
    default: nil
    }
  }
}
