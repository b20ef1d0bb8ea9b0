import TensorCore

/// A quantised type's blocks, and how they are widened: the layouts of ggml (ggml-quants.c).
struct Quantization: Sendable {
  /// Elements of a block.
  let blockLength: Int
  /// Bytes of a block.
  let blockBytes: Int
  /// Writes one block's elements.
  private let widenBlock: @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void

  init(
    _ blockLength: Int, _ blockBytes: Int,
    _ widenBlock: @escaping @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
  ) {
    self.blockLength = blockLength
    self.blockBytes = blockBytes
    self.widenBlock = widenBlock
  }

  /// Widens `count` elements, a whole number of blocks.
  func widen(_ source: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>, count: Int) {
    nonisolated(unsafe) let (source, target) = (source, target)
    Parallel.ranges(count / blockLength, grain: Parallel.elementGrain / blockLength) { blocks in
      for block in blocks {
        widenBlock(source + block * blockBytes, target + block * blockLength)
      }
    }
  }
}
