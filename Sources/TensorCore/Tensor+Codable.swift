import Foundation

// A tensor as data: a sampler that was stopped half way goes to disk with the tensors it remembers.

extension Tensor: Codable {
  private enum CodingKeys: String, CodingKey { case shape, dtype, bytes }

  /// Writes shape, element type and the elements' bytes, row-major and little-endian; not how the tensor was made.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(shape, forKey: .shape)
    try values.encode(dtype, forKey: .dtype)
    try values.encode(withBytes { Data($0) }, forKey: .bytes)
  }

  /// Reads what ``encode(to:)`` wrote. Throws `DecodingError` where the bytes are not as many as the shape says.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let shape = try values.decode([Int].self, forKey: .shape)
    let dtype = try values.decode(DType.self, forKey: .dtype)
    let bytes = try values.decode(Data.self, forKey: .bytes)
    let count = shape.reduce(Optional(dtype.size)) { total, length in
      guard let total, length >= 0 else { return nil }
      let (product, overflow) = total.multipliedReportingOverflow(by: length)
      return overflow ? nil : product
    }
    guard count == bytes.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .bytes, in: values,
        debugDescription: "a \(dtype) tensor of shape \(shape) does not take \(bytes.count) bytes")
    }
    self.init(uninitialized: shape, dtype: dtype)
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress {
        freshAddress.copyMemory(from: start, byteCount: source.count)
      }
    }
  }
}
