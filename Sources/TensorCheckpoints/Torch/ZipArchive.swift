/// The directory of a zip file (PKWARE's APPNOTE 6.3, with the 64-bit extension), whose members are stored or deflated.
struct ZipArchive {
  /// A file in the archive.
  struct Member: Sendable {
    let name: String
    let isDeflated: Bool
    /// Its bytes in the archive.
    let place: Range<Int>
    /// How many bytes it has when it is inflated.
    let size: Int
    let checksum: UInt32
  }

  let members: [TensorName: Member]

  init(_ file: UnsafeRawBufferPointer) throws(FormatFault) {
    let end = try Self.directoryEnd(file)
    guard let start = Int(exactly: end.start), start <= end.place else {
      throw FormatFault("the central directory is said to be at \(end.start)")
    }
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: file[..<end.place]), at: start)
    var members: [TensorName: Member] = [:]
    for _ in 0..<end.count {
      let member = try Self.member(&reader, in: file)
      guard members.updateValue(member, forKey: TensorName(member.name)) == nil else {
        throw FormatFault("two members are named \(quoted(member.name))")
      }
    }
    self.members = members
  }

  private struct DirectoryEnd {
    var count: UInt64
    var start: UInt64
    /// Where the record itself is.
    var place: Int
  }

  /// The record at the end of the file, which a comment of up to 65,535 bytes may follow.
  private static func directoryEnd(
    _ file: UnsafeRawBufferPointer
  ) throws(FormatFault) -> DirectoryEnd {
    let fault = FormatFault("no central directory at the end of the zip archive: it is cut off")
    guard file.count >= 22 else { throw fault }
    for place in (max(0, file.count - 22 - 65535)...file.count - 22).reversed() {
      guard file[place] == 0x50, file[place..<place + 4].elementsEqual([0x50, 0x4b, 5, 6]) else {
        continue
      }
      var reader = ByteReader(file, at: place + 8)
      _ = try reader.read(UInt16.self)
      let count = try reader.read(UInt16.self)
      _ = try reader.read(UInt32.self)
      let start = try reader.read(UInt32.self)
      let comment = try reader.read(UInt16.self)
      guard reader.rest == Int(comment) else { continue }
      let end = DirectoryEnd(count: UInt64(count), start: UInt64(start), place: place)
      return try longEnd(file, before: end) ?? end
    }
    throw fault
  }

  /// The 64-bit record, where there is one.
  private static func longEnd(
    _ file: UnsafeRawBufferPointer, before end: DirectoryEnd
  ) throws(FormatFault) -> DirectoryEnd? {
    guard end.place >= 20 else { return nil }
    var locator = ByteReader(file, at: end.place - 20)
    guard try locator.read(UInt32.self) == 0x0706_4b50 else { return nil }
    _ = try locator.read(UInt32.self)
    let place = try locator.read(UInt64.self)
    guard let offset = Int(exactly: place), offset <= end.place - 20 else {
      throw FormatFault("the end of the central directory is said to be at \(place)")
    }
    var record = ByteReader(file, at: offset)
    guard try record.read(UInt32.self) == 0x0606_4b50 else {
      throw FormatFault("no end of the central directory at \(place)")
    }
    _ = try record.take(28)
    let count = try record.read(UInt64.self)
    _ = try record.read(UInt64.self)
    return DirectoryEnd(count: count, start: try record.read(UInt64.self), place: offset)
  }

  private static func member(
    _ reader: inout ByteReader, in file: UnsafeRawBufferPointer
  ) throws(FormatFault) -> Member {
    guard try reader.read(UInt32.self) == 0x0201_4b50 else {
      throw FormatFault("no entry of the central directory before byte \(reader.offset)")
    }
    _ = try reader.read(UInt32.self)
    let (flags, method) = (try reader.read(UInt16.self), try reader.read(UInt16.self))
    _ = try reader.read(UInt32.self)
    let checksum = try reader.read(UInt32.self)
    var sizes = [UInt64(try reader.read(UInt32.self)), UInt64(try reader.read(UInt32.self))]
    let nameLength = UInt64(try reader.read(UInt16.self))
    let extraLength = UInt64(try reader.read(UInt16.self))
    let commentLength = UInt64(try reader.read(UInt16.self))
    _ = try reader.take(8)
    sizes.append(UInt64(try reader.read(UInt32.self)))
    let name = try reader.text(nameLength)
    try lengthen(&sizes, by: ByteReader(try reader.take(extraLength)))
    _ = try reader.take(commentLength)
    let label = "the member \(quoted(name))"
    guard flags & 1 == 0, method == 0 || method == 8 else {
      throw FormatFault(
        "\(label) is encrypted or of compression \(method); expected it stored or deflated")
    }
    guard let stored = Int(exactly: sizes[0]), let size = Int(exactly: sizes[1]),
      method == 8 ? size / Inflate.greatestRatio <= stored : size == stored
    else { throw FormatFault("\(label) claims \(sizes[0]) bytes for \(sizes[1])") }
    let start = try dataStart(sizes[2], name: name, method: method, in: file)
    guard stored <= file.count - start else {
      throw FormatFault("cut off: \(label) has \(stored) bytes at \(start)")
    }
    return Member(
      name: name, isDeflated: method == 8, place: start..<start + stored, size: size,
      checksum: checksum)
  }

  /// Takes from the extra field those of uncompressed size, compressed size and offset that 32 bits did not hold.
  private static func lengthen(
    _ sizes: inout [UInt64], by extra: ByteReader
  ) throws(FormatFault) {
    var extra = extra
    while extra.rest >= 4 {
      let (kind, length) = (try extra.read(UInt16.self), try extra.read(UInt16.self))
      var field = ByteReader(try extra.take(UInt64(length)))
      guard kind == 1 else { continue }
      for index in [1, 0, 2] where sizes[index] == UInt64(UInt32.max) {
        sizes[index] = try field.read(UInt64.self)
      }
    }
  }

  /// Where a member's bytes begin: behind its own header, which has to agree with the directory.
  private static func dataStart(
    _ place: UInt64, name: String, method: UInt16, in file: UnsafeRawBufferPointer
  ) throws(FormatFault) -> Int {
    let fault = FormatFault("wrong central directory: \(quoted(name)) is not at \(place)")
    guard let offset = Int(exactly: place), offset <= file.count - 30 else { throw fault }
    var reader = ByteReader(file, at: offset)
    guard try reader.read(UInt32.self) == 0x0403_4b50 else { throw fault }
    _ = try reader.read(UInt32.self)
    guard try reader.read(UInt16.self) == method else { throw fault }
    _ = try reader.take(16)
    let nameLength = UInt64(try reader.read(UInt16.self))
    let extraLength = UInt64(try reader.read(UInt16.self))
    guard try TensorName(reader.text(nameLength)) == TensorName(name) else { throw fault }
    _ = try reader.take(extraLength)
    return reader.offset
  }
}
