/// The directory of a GGUF file (ggml's docs/gguf.md, versions 2 and 3): key-value pairs, then for each tensor its name,
/// axes (innermost first), type and place.
struct GGUFHeader {
  struct Record: Sendable {
    let entry: CheckpointEntry
    /// The tensor's bytes, counted from the start of the file.
    let bytes: Range<Int>
  }

  static let magic = Array("GGUF".utf8)

  private(set) var values: [String: GGUFValue] = [:]
  /// In the order of the directory.
  private(set) var records: [Record] = []

  /// How many more values arrays may hold: they take more memory here than in the file.
  private var arrayItems = 1 << 24

  init(_ file: UnsafeRawBufferPointer) throws(FormatFault) {
    var reader = ByteReader(file)
    guard try reader.take(4).elementsEqual(Self.magic) else {
      throw FormatFault("it does not begin with GGUF")
    }
    let version = try reader.read(UInt32.self)
    guard version == 2 || version == 3 else {
      let isSwapped = (2...3).contains(version.byteSwapped)
      throw FormatFault(
        isSwapped ? "its numbers are big-endian" : "version \(version), expected 2 or 3")
    }
    let tensorCount = try reader.read(UInt64.self)
    let valueCount = try reader.read(UInt64.self)
    var next: UInt64 = 0
    while next < valueCount {
      let key = try reader.text(reader.read(UInt64.self))
      let value = try value(&reader, type: reader.read(UInt32.self), depth: 0)
      guard values.updateValue(value, forKey: key) == nil else {
        throw FormatFault("the key \(quoted(key)) twice")
      }
      next += 1
    }
    var tensors: [Information] = []
    while UInt64(tensors.count) < tensorCount { tensors.append(try Information(&reader)) }
    try place(tensors, after: reader.offset, in: file.count)
  }

  // MARK: - Values

  private mutating func value(
    _ reader: inout ByteReader, type: UInt32, depth: Int
  ) throws(FormatFault) -> GGUFValue {
    switch type {
    case 0: return .integer(Int(try reader.read(UInt8.self)))
    case 1: return .integer(Int(try reader.read(Int8.self)))
    case 2: return .integer(Int(try reader.read(UInt16.self)))
    case 3: return .integer(Int(try reader.read(Int16.self)))
    case 4: return .integer(Int(try reader.read(UInt32.self)))
    case 5: return .integer(Int(try reader.read(Int32.self)))
    case 6: return .number(Double(Float(bitPattern: try reader.read(UInt32.self))))
    case 7: return .truth(try reader.read(UInt8.self) != 0)
    case 8: return .text(try reader.text(reader.read(UInt64.self)))
    case 9: return try array(&reader, depth: depth)
    case 10:
      let number = try reader.read(UInt64.self)
      return Int(exactly: number).map { .integer($0) } ?? .number(Double(number))
    case 11: return .integer(Int(try reader.read(Int64.self)))
    case 12: return .number(Double(bitPattern: try reader.read(UInt64.self)))
    default:
      throw FormatFault("a value of the unknown type \(type), before byte \(reader.offset)")
    }
  }

  private mutating func array(
    _ reader: inout ByteReader, depth: Int
  ) throws(FormatFault) -> GGUFValue {
    guard depth < 4 else { throw FormatFault("arrays nested deeper than 4") }
    let type = try reader.read(UInt32.self)
    let count = try reader.read(UInt64.self)
    guard count <= UInt64(reader.rest), Int(count) <= arrayItems else {
      throw FormatFault("an array of \(count) values before byte \(reader.offset): too many")
    }
    arrayItems -= Int(count)
    var items: [GGUFValue] = []
    for _ in 0..<count { items.append(try value(&reader, type: type, depth: depth + 1)) }
    return .array(items)
  }

  // MARK: - Tensors

  private struct Information {
    let name: String
    let shape: [Int]
    let type: StoredType
    let offset: UInt64

    init(_ reader: inout ByteReader) throws(FormatFault) {
      name = try reader.text(reader.read(UInt64.self))
      let rank = try reader.read(UInt32.self)
      guard rank <= 8 else {
        throw FormatFault("tensor \(quoted(name)) has \(rank) axes, expected at most 8")
      }
      var axes: [Int] = []
      for _ in 0..<rank {
        guard let length = Int(exactly: try reader.read(UInt64.self)) else {
          throw FormatFault("tensor \(quoted(name)) has an axis longer than \(Int.max)")
        }
        axes.append(length)
      }
      shape = axes.reversed()
      let number = try reader.read(UInt32.self)
      guard let type = GGUFHeader.types[number] else {
        let known = GGUFHeader.unread[number].map { " (\($0))" } ?? ""
        throw FormatFault(
          "tensor \(quoted(name)) is of type \(number)\(known), which is not read; convert the "
            + "file to Q8_0 or F16")
      }
      self.type = type
      offset = try reader.read(UInt64.self)
    }
  }

  private mutating func place(
    _ tensors: [Information], after end: Int, in size: Int
  ) throws(FormatFault) {
    let alignment = try alignment()
    let start = (end + alignment - 1) / alignment * alignment
    var names: Set<TensorName> = []
    for tensor in tensors {
      let label = "tensor \(quoted(tensor.name))"
      guard names.insert(TensorName(tensor.name)).inserted else {
        throw FormatFault("\(label) is there twice")
      }
      let shape = try shape(tensor)
      guard let count = tensor.type.byteCount(tensor.shape),
        (tensor.shape.last ?? 1) % tensor.type.blockLength == 0
      else {
        throw FormatFault(
          "\(label): shape \(tensor.shape) is no whole number of blocks of \(tensor.type.rawValue)")
      }
      guard let offset = Int(exactly: tensor.offset), offset % alignment == 0, start <= size,
        offset <= size - start, count <= size - start - offset
      else {
        throw FormatFault(
          "cut off: \(label) of \(count) bytes is at \(tensor.offset), the data has "
            + "\(max(0, size - start)) bytes in steps of \(alignment)")
      }
      let entry = CheckpointEntry(name: tensor.name, type: tensor.type, shape: shape)
      records.append(Record(entry: entry, bytes: start + offset..<start + offset + count))
    }
  }

  private func alignment() throws(FormatFault) -> Int {
    switch values["general.alignment"] {
    case nil: return 32
    case .integer(let number)? where number >= 1 && number <= 1 << 30 && number & (number - 1) == 0:
      return number
    case let value?:
      throw FormatFault("general.alignment is \(value), expected a power of two")
    }
  }

  /// ComfyUI's converter flattens some tensors and keeps the shape they had beside them.
  private func shape(_ tensor: Information) throws(FormatFault) -> [Int] {
    guard case .array(let values)? = values["comfy.gguf.orig_shape.\(tensor.name)"] else {
      return tensor.shape
    }
    var shape: [Int] = []
    for case .integer(let length) in values where length >= 0 { shape.append(length) }
    guard shape.count == values.count,
      let bytes = StoredType.uint8.byteCount(shape),
      bytes == StoredType.uint8.byteCount(tensor.shape)
    else {
      throw FormatFault(
        "tensor \(quoted(tensor.name)) of shape \(tensor.shape) is said to have had \(values)")
    }
    return shape
  }

  static let types: [UInt32: StoredType] = [
    0: .float32, 1: .float16, 2: .q4_0, 3: .q4_1, 6: .q5_0, 7: .q5_1, 8: .q8_0, 12: .q4_K,
    13: .q5_K, 14: .q6_K, 24: .int8, 25: .int16, 26: .int32, 27: .int64, 28: .float64,
    30: .bfloat16,
  ]

  private static let unread: [UInt32: String] = [
    9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0",
    35: "TQ2_0", 39: "MXFP4",
  ]
}
