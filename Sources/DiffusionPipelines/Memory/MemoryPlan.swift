import DiffusionModels
import TensorCheckpoints
import TensorCore
import TensorLayers

/// What memory drawing takes at most, from the shapes alone: before anything is loaded.
///
/// What is counted is what the system counts as resident (VmHWM): the weights, those in mapped files included as far as
/// they are touched, and the tensors that a network's widest place holds at once. Of activations the widest places are
/// worked out: the gated perceptron of the U-Net's outermost transformer with all that the way down keeps, and the last
/// level of the decoder.
public struct MemoryPlan: Sendable, Hashable {
  /// What is drawn.
  public struct Pictures: Sendable, Hashable {
    /// Their size.
    public var (width, height): (Int, Int)
    /// How many at once.
    public var batch: Int
    /// Whether each is computed with and without its text.
    public var isGuided: Bool

    /// Pictures.
    public init(width: Int, height: Int, batch: Int = 1, isGuided: Bool = true) {
      (self.width, self.height) = (width, height)
      (self.batch, self.isGuided) = (batch, isGuided)
    }
  }

  /// What the memory is held down by.
  public let measures: MemoryMeasures
  /// Bytes of weights.
  public let weights: Int
  /// Bytes of the U-Net's tensors at its widest place.
  public let denoising: Int
  /// Bytes of the decoder's tensors at its widest place.
  public let decoding: Int
  /// Bytes of the program itself: its code, its vocabulary, each thread's scratch.
  public let program: Int

  /// Bytes at most. Tensors that are done with keep their memory for the next; the decoder gives back what is much, or all
  /// where it works in tiles.
  public var peak: Int {
    let isGivenBack = measures.tiling != nil || denoising > 256 << 20
    let tensors = isGivenBack ? max(denoising, decoding) : denoising + decoding
    return program + weights + tensors
  }

  /// A plan for a model with the measures given.
  public init(
    _ parts: LatentParts, drawing pictures: Pictures, measures: MemoryMeasures = MemoryMeasures()
  ) {
    self.measures = measures
    weights = Self.weightBytes(parts, measures)
    denoising = Self.denoisingBytes(parts, pictures)
    decoding = Self.decodingBytes(parts, pictures, measures.tiling)
    program = 250 << 20
  }

  /// The plan with the fewest measures that stays below `limit` bytes.
  ///
  /// - Throws: ``PipelineError/request(part:problem:)`` where none does.
  public static func fitting(
    _ limit: Int, _ parts: LatentParts, drawing pictures: Pictures,
    measures: MemoryMeasures = MemoryMeasures()
  ) throws(PipelineError) -> MemoryPlan {
    var least: MemoryPlan?
    for weights in [measures.weights, .streamed] {
      for side in [nil, 64, 48, 32, 24, 16] {
        var next = measures
        next.weights = weights
        next.tiling = side.map { AutoencoderTiling(latentSide: $0) }
        let plan = MemoryPlan(parts, drawing: pictures, measures: next)
        if plan.peak <= limit { return plan }
        if plan.peak < least?.peak ?? .max { least = plan }
      }
    }
    throw .request(
      part: "max-memory",
      problem:
        "expected \(text(least?.peak ?? 0)) or more for these pictures, found \(text(limit)); "
        + "lower the size or the batch")
  }

  /// A number of bytes for a person.
  public static func text(_ bytes: Int) -> String {
    bytes < 10 << 20
      ? "\(bytes >> 10) KiB"
      : bytes < 1 << 30
        ? "\(bytes >> 20) MiB" : "\((Double(bytes) / 0x1p30 * 100).rounded() / 100) GiB"
  }
}

// MARK: - Weights

extension MemoryPlan {
  private static func weightBytes(_ parts: LatentParts, _ measures: MemoryMeasures) -> Int {
    var all = [(parts.unet.source, parts.unet.tensors)]
    all.append((parts.autoencoder.source, parts.autoencoder.tensors))
    all += parts.texts.map { ($0.part.source, $0.part.tensors) }
    var (sum, largest) = (0, 0)
    for (source, tensors) in all {
      for (name, shape) in tensors {
        guard let entry = source.entry(named: name) else { continue }
        let count = shape.reduce(1, *)
        if shape.count < 2 {
          sum += 4 * count
          continue
        }
        let layout: ParameterLayout =
          shape.count > 2 ? .convolution : name.contains("token_embedding") ? .embedding : .linear
        let type = keptType(entry.type, layout, shape, measures)
        let bytes = type.byteCount(of: count)
        let isMapped = shape.count == 2 && StoredType(type) == entry.type
        if measures.weights == .streamed {
          // The stored one, the one in order and the copy that is used are there at once.
          largest = max(largest, isMapped ? bytes : 3 * bytes)
        } else if !(isMapped && name.contains("token_embedding")) {
          sum += bytes
        }
      }
    }
    return sum + largest
  }

  private static func keptType(
    _ stored: StoredType, _ layout: ParameterLayout, _ shape: [Int], _ measures: MemoryMeasures
  ) -> DType {
    measures.weightType.flatMap { WeightStorage.rounded(to: $0, layout, shape: shape) }
      ?? measures.weights.type(of: stored, layout) ?? .float32
  }
}

// MARK: - Activations

extension MemoryPlan {
  private static func denoisingBytes(_ parts: LatentParts, _ pictures: Pictures) -> Int {
    let unet = parts.unet.configuration
    let reduction = parts.autoencoder.configuration.reduction
    let pixels = pictures.width / reduction * (pictures.height / reduction)
    let samples = pictures.batch * (pictures.isGuided ? 2 : 1)
    var skips = pixels * unet.blockOutChannels[0]
    var widest = 0
    for (level, channels) in unet.blockOutChannels.enumerated() {
      let area = pixels >> (2 * level)
      skips += area * channels * unet.layersPerBlock[level] + area / 4 * channels
      // x, its norm, the projection of 8 C, its two halves, the gate and the product; or a residual block's input with a
      // skip behind it, twice.
      let isCross = unet.downBlocks[level] == .cross
      widest = max(widest, area * channels * (isCross ? 3 + 8 + 8 + 4 + 4 : 8))
    }
    // The pool holds more than is live at once, blocks of sizes that are not asked for again: fitted to whole runs.
    return 4 * samples * (skips + widest) * 14 / 5
  }

  private static func decodingBytes(
    _ parts: LatentParts, _ pictures: Pictures, _ tiling: AutoencoderTiling?
  ) -> Int {
    let autoencoder = parts.autoencoder.configuration
    let reduction = autoencoder.reduction
    let side = tiling.map { $0.latentSide * reduction } ?? .max
    let pixels = min(side, pictures.width) * min(side, pictures.height)
    let channels = autoencoder.blockOutChannels
    var widest = 0
    for (level, width) in channels.enumerated() {
      // What comes from the level below, doubled, convolved and normed, and the narrower results.
      let below = channels[min(level + 1, channels.count - 1)]
      widest = max(widest, (pixels >> (2 * level)) * (3 * below + 2 * width))
    }
    // The same, fitted to whole runs.
    return 4 * widest * 3 / 2 + 4 * 3 * pictures.width * pictures.height * pictures.batch * 3
  }
}

extension MemoryPlan: CustomStringConvertible {
  /// One line.
  public var description: String {
    "\(Self.text(peak)) at most are expected: weights \(Self.text(weights)), denoising "
      + "\(Self.text(denoising)), decoding \(Self.text(decoding)), the program "
      + "\(Self.text(program)); \(measures)"
  }
}
