/// Reads the data of a pickle (Python's pickletools.py, protocols 2 to 5) and executes nothing: a global is a name on the
/// list of ``PickleGlobals``, or the file is refused; calls of these names are data too.
struct Unpickler {
  private(set) var reader: ByteReader
  var heap = PickleHeap()
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// How many items may yet be copied from one container to another: an honest pickle copies each once.
  var copies: Int
  /// Those containers that are the members of scripted objects.
  var objects: Set<Int> = []

  /// A reader of the pickle at `offset` of `bytes`.
  init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
    reader = ByteReader(bytes, at: offset)
    copies = bytes.count
  }

  /// The pickled object. Afterwards the reader stands behind it.
  mutating func load() throws(FormatFault) -> PickleValue {
    while true {
      let opcode = Unicode.Scalar(try reader.read(UInt8.self))
      if opcode == "." { return try pop() }
      if try !loadScalar(opcode), try !loadContainer(opcode), try !loadObject(opcode) {
        let name = opcode.escaped(asASCII: true)
        throw FormatFault(
          "pickle opcode `\(name)` at byte \(reader.offset - 1), which PyTorch does not write")
      }
    }
  }

  mutating func pop() throws(FormatFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw FormatFault("the pickle takes more than it has, at byte \(reader.offset)")
    }
    return value
  }

  private mutating func push(_ value: PickleValue) { stack.append(value) }

  private func top() throws(FormatFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw FormatFault("the pickle takes more than it has, at byte \(reader.offset)")
    }
    return value
  }

  /// What was pushed since the last mark.
  private mutating func popToMark() throws(FormatFault) -> [PickleValue] {
    guard let mark = marks.popLast() else {
      throw FormatFault("the pickle has no mark to go back to, at byte \(reader.offset)")
    }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func pop(_ count: Int) throws(FormatFault) -> [PickleValue] {
    var values: [PickleValue] = []
    for _ in 0..<count { values.append(try pop()) }
    return values.reversed()
  }
}

// MARK: - Numbers, texts and the memo

extension Unpickler {
  private mutating func loadScalar(_ opcode: Unicode.Scalar) throws(FormatFault) -> Bool {
    switch opcode {
    case "\u{80}":
      let version = try reader.read(UInt8.self)
      guard version <= 5 else { throw FormatFault("pickle protocol \(version), expected up to 5") }
    case "\u{95}": _ = try reader.read(UInt64.self)
    case "N": push(.none)
    case "\u{88}": push(.truth(true))
    case "\u{89}": push(.truth(false))
    case "J": push(.integer(Int(try reader.read(Int32.self))))
    case "K": push(.integer(Int(try reader.read(UInt8.self))))
    case "M": push(.integer(Int(try reader.read(UInt16.self))))
    case "\u{8a}": push(long(try reader.take(UInt64(reader.read(UInt8.self)))))
    case "\u{8b}": push(long(try reader.take(UInt64(reader.read(UInt32.self)))))
    case "G":
      let bits = try reader.read(UInt64.self).byteSwapped
      push(.number(Double(bitPattern: bits)))
    case "\u{8c}", "U": push(.text(try reader.text(UInt64(reader.read(UInt8.self)))))
    case "X", "T": push(.text(try reader.text(UInt64(reader.read(UInt32.self)))))
    case "\u{8d}": push(.text(try reader.text(reader.read(UInt64.self))))
    case "C": push(.bytes(Array(try reader.take(UInt64(reader.read(UInt8.self))))))
    case "B": push(.bytes(Array(try reader.take(UInt64(reader.read(UInt32.self))))))
    case "\u{8e}", "\u{96}": push(.bytes(Array(try reader.take(reader.read(UInt64.self)))))
    case "q": memo[Int(try reader.read(UInt8.self))] = try top()
    case "r": memo[Int(try reader.read(UInt32.self))] = try top()
    case "\u{94}": memo[memo.count] = try top()
    // Protocol 0, which PyTorch never wrote, is read over only so that what it asks for can be named.
    case "S", "V", "I", "L", "F", "P", "g":
      _ = try reader.line()
      push(.opaque)
    case "p": _ = try reader.line()
    case "h": push(try remembered(Int(reader.read(UInt8.self))))
    case "j": push(try remembered(Int(reader.read(UInt32.self))))
    default: return false
    }
    return true
  }

  private func remembered(_ index: Int) throws(FormatFault) -> PickleValue {
    guard let value = memo[index] else {
      throw FormatFault("the pickle remembers no number \(index), at byte \(reader.offset)")
    }
    return value
  }

  /// A little-endian number in two's complement; longer ones than `Int` stay bytes.
  private func long(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
    guard bytes.count <= 8 else { return .bytes(Array(bytes)) }
    var value = bytes.last.map { $0 >= 0x80 ? -1 : 0 } ?? 0
    for byte in bytes.reversed() { value = value << 8 | Int(byte) }
    return .integer(value)
  }
}

// MARK: - Containers

extension Unpickler {
  private mutating func loadContainer(_ opcode: Unicode.Scalar) throws(FormatFault) -> Bool {
    switch opcode {
    case "(": marks.append(stack.count)
    case "0": _ = try pop()
    case "1": _ = try popToMark()
    case "2": push(try top())
    case ")": push(.tuple(heap.add()))
    case "]": push(.list(heap.add()))
    case "}": push(.dictionary(heap.add()))
    case "\u{8f}": push(.opaque)
    case "\u{85}": push(.tuple(heap.add(try pop(1))))
    case "\u{86}": push(.tuple(heap.add(try pop(2))))
    case "\u{87}": push(.tuple(heap.add(try pop(3))))
    case "t": push(.tuple(heap.add(try popToMark())))
    case "\u{91}":
      _ = try popToMark()
      push(.opaque)
    case "a": try append(pop(1))
    case "e", "\u{90}": try append(popToMark())
    case "s": try set(pop(2))
    case "u": try set(popToMark())
    default: return false
    }
    return true
  }

  private mutating func append(_ items: [PickleValue]) throws(FormatFault) {
    switch try top() {
    case .list(let index): heap.containers[index] += items
    case .opaque: break
    default: throw FormatFault("the pickle appends to no list, at byte \(reader.offset)")
    }
  }

  private mutating func set(_ items: [PickleValue]) throws(FormatFault) {
    guard items.count % 2 == 0 else {
      throw FormatFault("the pickle sets a key without a value, at byte \(reader.offset)")
    }
    switch try top() {
    case .dictionary(let index): heap.containers[index] += items
    case .opaque: break
    default: throw FormatFault("the pickle sets an item of no dictionary, at byte \(reader.offset)")
    }
  }
}

// MARK: - Names and what is made of them

extension Unpickler {
  private mutating func loadObject(_ opcode: Unicode.Scalar) throws(FormatFault) -> Bool {
    switch opcode {
    case "c": push(try global(reader.line(), reader.line()))
    case "\u{93}":
      let names = try pop(2)
      guard case .text(let module) = names[0], case .text(let name) = names[1] else {
        throw FormatFault("the pickle names a global by no text, at byte \(reader.offset)")
      }
      push(try global(module, name))
    case "i":
      let function = try global(reader.line(), reader.line())
      push(try call(function, heap.add(popToMark())))
    case "R", "\u{81}":
      let parts = try pop(2)
      guard case .tuple(let arguments) = parts[1] else { throw notCalled() }
      push(try call(parts[0], arguments))
    case "\u{92}":
      let parts = try pop(3)
      guard case .tuple(let arguments) = parts[1] else { throw notCalled() }
      push(try call(parts[0], arguments))
    case "b": try build(from: pop())
    case "Q": push(try storage(pop()))
    default: return false
    }
    return true
  }

  /// Objects' states say nothing about tensors, but for the members of scripted ones and for a module of parameters.
  private mutating func build(from state: PickleValue) throws(FormatFault) {
    guard case .dictionary(let object) = try top(), case .dictionary(let members) = state else {
      return
    }
    if objects.contains(object) { return try copy(members, into: object) }
    guard heap.parameterDictionaries.contains(object) else { return }
    let items = heap.containers[members]
    for place in stride(from: 0, to: items.count - 1, by: 2) {
      guard case .text("_parameters") = items[place],
        case .dictionary(let parameters) = items[place + 1]
      else { continue }
      heap.containers[object] = []
      try copy(parameters, into: object)
    }
  }

  private mutating func copy(_ items: Int, into object: Int) throws(FormatFault) {
    copies -= heap.containers[items].count
    guard copies >= 0 else { throw FormatFault("the pickle copies more than it holds") }
    heap.containers[object] += heap.containers[items]
  }

  private func notCalled() -> FormatFault {
    FormatFault("the pickle calls with no tuple, at byte \(reader.offset)")
  }

  private func global(_ module: String, _ name: String) throws(FormatFault) -> PickleValue {
    let path = "\(module).\(name)"
    guard PickleGlobals.allow(path) else { throw FormatFault(refusing: path) }
    return .global(path)
  }

  private mutating func call(
    _ function: PickleValue, _ arguments: Int
  ) throws(FormatFault) -> PickleValue {
    guard case .global(let name) = function else {
      throw FormatFault("the pickle calls what is no function, at byte \(reader.offset)")
    }
    return try made(by: name, from: heap.containers[arguments])
  }
}
