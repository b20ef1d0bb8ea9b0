import TensorCore

/// Follows a network over shapes alone and counts what its tensors take: those in use now, and the most at once.
///
/// Tensors are taken and dropped where the network's code takes and drops them. What a function was given, and what it gave a
/// name that is not given again, lives until it returns.
struct LiveTensors {
  /// Bytes in use now.
  private(set) var live = 0
  /// The most bytes that were in use at once.
  private(set) var peak = 0

  /// A batch of pictures or latents.
  struct Place {
    var batch: Int
    var height: Int
    var width: Int
    var pixels: Int { batch * height * width }

    /// What a convolution of stride 2 leaves.
    var halved: Place { Place(batch: batch, height: (height + 1) / 2, width: (width + 1) / 2) }
    /// Of twice the sides.
    var doubled: Place { Place(batch: batch, height: 2 * height, width: 2 * width) }
  }

  /// A tensor of so many elements, of float32, comes.
  mutating func take(_ elements: Int) {
    live += elements * DType.float32.size
    peak = max(peak, live)
  }

  /// A tensor of so many elements goes.
  mutating func drop(_ elements: Int) { live -= elements * DType.float32.size }

  // MARK: - Blocks. Their input is the caller's; their result is taken.

  /// A convolution of a kernel above 1.
  mutating func convolve(_ place: Place, _ inputs: Int, _ outputs: Int, stride: Int = 1) {
    take((stride == 2 ? place.halved : place).pixels * outputs)
    let scratch = ConvolutionScratch.bytes(
      input: [place.batch, place.height, place.width, inputs], outputs: outputs, kernel: 3,
      stride: stride)
    peak = max(peak, live + scratch)
  }

  /// A residual block; `skip` of its inputs are another tensor's.
  mutating func residual(
    _ place: Place, _ inputs: Int, _ outputs: Int, skip: Int = 0, hasTime: Bool
  ) {
    let (wide, narrow) = (place.pixels * inputs, place.pixels * outputs)
    let isJoined = skip > 0
    if isJoined { take(wide) }
    take(wide)
    convolve(place, inputs, outputs)
    drop(wide)
    if hasTime { take(narrow) }
    take(narrow)
    drop(hasTime ? 2 * narrow : narrow)
    convolve(place, outputs, outputs)
    drop(narrow)
    if inputs != outputs { take(narrow) }
    take(narrow)
    drop(inputs != outputs ? 2 * narrow : narrow)
    if isJoined { drop(wide) }
  }

  /// Attention of tokens to a context: queries, keys and values, keys and values packed, the result, its projection.
  mutating func attend(_ tokens: Int, _ contextTokens: Int, _ channels: Int) {
    let (queries, keys) = (tokens * channels, contextTokens * channels)
    take(queries + 4 * keys)
    take(queries)
    drop(queries + 4 * keys)
    take(queries)
    drop(queries)
  }

  /// A transformer over pixels with `depth` blocks that look at `textTokens` in all samples.
  mutating func transform(_ place: Place, _ channels: Int, depth: Int, textTokens: Int) {
    let whole = place.pixels * channels
    take(2 * whole)
    drop(whole)
    for _ in 0..<depth {
      for (index, context) in [place.pixels, textTokens].enumerated() {
        take(whole)
        attend(place.pixels, context, channels)
        take(whole)
        // The norm and what attention gave; of the second attention, its input too.
        drop(2 * whole)
        if index == 1 { drop(whole) }
      }
      take(whole)
      take(8 * whole)
      take(4 * whole)
      drop(8 * whole)
      take(whole)
      drop(5 * whole)
      take(whole)
      drop(3 * whole)
    }
    take(2 * whole)
    drop(2 * whole)
  }

  /// Twice the sides, and a convolution.
  mutating func upsample(_ place: Place, _ channels: Int) {
    let large = place.doubled.pixels * channels
    take(large)
    convolve(place.doubled, channels, channels)
    drop(large)
  }
}
