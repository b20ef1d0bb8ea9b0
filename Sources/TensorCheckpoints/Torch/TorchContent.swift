/// What a PyTorch file consists of, in either of its formats: one pickle, and the bytes of the storages it names.
struct TorchContent {
  /// Where a storage's bytes are.
  enum Place: Sendable {
    case mapped(Range<Int>)
    case deflated(ZipArchive.Member)

    var size: Int {
      switch self {
      case .mapped(let range): range.count
      case .deflated(let member): member.size
      }
    }
  }

  let root: PickleValue
  let heap: PickleHeap
  /// By the storage's key.
  let places: [TensorName: Place]
  let isBigEndian: Bool

  static let zipStart: [UInt8] = [0x50, 0x4b, 3, 4]

  init(_ bytes: UnsafeRawBufferPointer) throws(FormatFault) {
    if bytes.starts(with: Self.zipStart) {
      try self.init(zip: bytes)
    } else {
      try self.init(legacy: bytes)
    }
  }

  // MARK: - The zip format (PyTorch 1.6 on): NAME/data.pkl, NAME/data/KEY, NAME/byteorder

  private init(zip bytes: UnsafeRawBufferPointer) throws(FormatFault) {
    let archive = try ZipArchive(bytes)
    let pickles = archive.members.values.filter {
      $0.name == "data.pkl" || $0.name.utf8.elementsEqual("\($0.folder)/data.pkl".utf8)
    }
    guard let pickle = pickles.first, pickles.count == 1 else {
      throw FormatFault("a zip archive with \(pickles.count) members `data.pkl`, expected one")
    }
    let prefix = String(pickle.name.dropLast("data.pkl".count))
    (root, heap) = try archive.withContent(of: pickle, in: bytes) { content throws(FormatFault) in
      var unpickler = Unpickler(content)
      return (try unpickler.load(), unpickler.heap)
    }
    isBigEndian = try Self.isBigEndian(archive.members[TensorName(prefix + "byteorder")], bytes)
    var places: [TensorName: Place] = [:]
    for storage in heap.storages {
      let name = TensorName("\(prefix)data/\(storage.key)")
      guard let member = archive.members[name] else {
        throw FormatFault("the archive has no \(quoted(name.string)), which a tensor is in")
      }
      places[TensorName(storage.key)] =
        member.isDeflated ? .deflated(member) : .mapped(member.place)
    }
    self.places = places
  }

  private static func isBigEndian(
    _ member: ZipArchive.Member?, _ bytes: UnsafeRawBufferPointer
  ) throws(FormatFault) -> Bool {
    guard let member, !member.isDeflated else { return false }
    let text = String(decoding: bytes[member.place], as: UTF8.self)
    guard text == "little" || text == "big" else {
      throw FormatFault("byte order \(quoted(String(text.prefix(20)))), expected little or big")
    }
    return text == "big"
  }

  // MARK: - The older format: five pickles, then each storage's count of elements and bytes, always little-endian

  private static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  private init(legacy bytes: UnsafeRawBufferPointer) throws(FormatFault) {
    var offset = 0
    func next() throws(FormatFault) -> (PickleValue, PickleHeap) {
      var unpickler = Unpickler(bytes, at: offset)
      let value = try unpickler.load()
      offset = unpickler.reader.offset
      return (value, unpickler.heap)
    }
    guard case .bytes(Self.magic) = try next().0 else {
      throw FormatFault("a pickle that torch.save did not write")
    }
    guard case .integer(1001) = try next().0 else {
      throw FormatFault("another protocol of torch.save than 1001")
    }
    _ = try next()
    let object = try next()
    let (list, keys) = try next()
    (root, heap) = object
    isBigEndian = false
    places = try Self.places(
      of: keys.sequence(list) ?? [], in: ByteReader(bytes, at: offset), heap.storages)
  }

  private static func places(
    of keys: [PickleValue], in reader: ByteReader, _ storages: [PickledStorage]
  ) throws(FormatFault) -> [TensorName: Place] {
    let storages = Dictionary(
      storages.map { (TensorName($0.key), $0) }, uniquingKeysWith: { first, _ in first })
    var reader = reader
    var places: [TensorName: Place] = [:]
    for case .text(let key) in keys {
      guard let storage = storages[TensorName(key)] else {
        throw FormatFault("no tensor is in the storage \(quoted(key))")
      }
      let count = try reader.read(UInt64.self)
      guard count == UInt64(storage.count) else {
        throw FormatFault("storage \(quoted(key)) has \(count) elements, expected \(storage.count)")
      }
      guard let size = (storage.type ?? .uint8).byteCount([storage.count]) else {
        throw FormatFault("storage \(quoted(key)) has \(count) elements: too many")
      }
      let start = reader.offset
      _ = try reader.take(UInt64(size))
      places[TensorName(key)] = .mapped(start..<start + size)
    }
    return places
  }
}

extension ZipArchive.Member {
  /// The first part of the name.
  fileprivate var folder: Substring { name.prefix { $0 != "/" } }
}

extension ZipArchive {
  /// Calls `body` with a member's content, checked against its checksum.
  func withContent<Result>(
    of member: Member, in file: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) throws(FormatFault) -> Result
  ) throws(FormatFault) -> Result {
    var content = UnsafeRawBufferPointer(rebasing: file[member.place])
    var inflated: UnsafeMutableRawBufferPointer?
    defer { inflated?.deallocate() }
    if member.isDeflated {
      let target = UnsafeMutableRawBufferPointer.allocate(byteCount: member.size, alignment: 16)
      inflated = target
      try Inflate.fill(target, from: content)
      content = UnsafeRawBufferPointer(target)
    }
    guard Inflate.checksum(content) == member.checksum else {
      throw FormatFault("the checksum of \(quoted(member.name)) is another")
    }
    return try body(content)
  }
}
