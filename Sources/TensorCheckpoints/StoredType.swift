import TensorCore

/// How elements are stored in a checkpoint: the types of the safetensors format, in the order of its reference
/// implementation (by rising alignment), and those that only other formats have.
public enum StoredType: String, Sendable, CaseIterable, Comparable, Codable {
  case bool = "BOOL"
  case float4 = "F4"
  case float6e2m3 = "F6_E2M3"
  case float6e3m2 = "F6_E3M2"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case float8e8m0 = "F8_E8M0"
  case float8e4m3fnuz = "F8_E4M3FNUZ"
  case float8e5m2fnuz = "F8_E5M2FNUZ"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case complex64 = "C64"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  case complex128 = "C128"
  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q8_0 = "Q8_0"
  case q4_K = "Q4_K"
  case q5_K = "Q5_K"
  case q6_K = "Q6_K"

  /// Whether the safetensors format has this type.
  public var isSafetensors: Bool { self <= .uint64 }

  /// How many elements are stored together: 1, or a block of a quantised type.
  public var blockLength: Int { quantization?.blockLength ?? 1 }

  /// Bits a block takes; where ``blockLength`` is 1, an element.
  public var blockBits: Int {
    if let quantization { return quantization.blockBytes * 8 }
    return switch self {
    case .float4: 4
    case .float6e2m3, .float6e3m2: 6
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0, .float8e4m3fnuz,
      .float8e5m2fnuz:
      8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .complex64, .float64, .int64, .uint64: 64
    default: 128
    }
  }

  /// The tensor element type of the same bytes; nil for the types that tensors do not hold.
  public var dtype: DType? {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .float16: .float16
    case .bfloat16: .bfloat16
    default: nil
    }
  }

  /// The stored type of a tensor's elements.
  public init(_ dtype: DType) {
    switch dtype {
    case .float32: self = .float32
    case .float64: self = .float64
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .q8_0: self = .q8_0
    }
  }

  /// Whether the elements are integers or truth values.
  public var isInteger: Bool {
    switch self {
    case .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64: true
    default: false
    }
  }

  /// Bytes that elements of `shape` take; nil where the number overflows or is no whole number of bytes or blocks. Axes of
  /// no length do not hide others that overflow: a part of the shape can be counted too.
  package func byteCount(_ shape: [Int]) -> Int? {
    var count = 1
    for length in shape where length != 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      count = product
    }
    let (bits, overflow) = (count / blockLength).multipliedReportingOverflow(by: blockBits)
    if overflow { return nil }
    if shape.contains(0) { return 0 }
    return count % blockLength == 0 && bits % 8 == 0 ? bits / 8 : nil
  }

  /// The order of alignment.
  public static func < (a: StoredType, b: StoredType) -> Bool {
    order[a, default: 0] < order[b, default: 0]
  }

  private static let order = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}
