import TensorCore

extension Quantization {
  /// Q8_0's blocks of a float32 tensor, as ggml's reference makes them. nil where the last axis
  /// is no whole number of blocks of 32, or a value is not finite.
  static func eightBitBlocks(of tensor: Tensor) -> [UInt8]? {
    guard (tensor.shape.last ?? 1).isMultiple(of: DType.q8_0.blockLength) else { return nil }
    let blocks = tensor.converted(to: .q8_0).withBytes { Array($0) }
    // A scale with all bits of the exponent set is infinite or not a number.
    let isFinite = stride(from: 1, to: blocks.count, by: 34)
      .allSatisfy { blocks[$0] & 0x7c != 0x7c }
    return isFinite ? blocks : nil
  }
}
