import DiffusionModels
import TensorCheckpoints
import TensorCore
import TensorLayers

/// What memory drawing takes at most, from the shapes alone: before anything is loaded.
///
/// What is counted is what the system counts as resident (VmHWM): the program, the weights, those in mapped files included as
/// far as they are touched, and the tensors of the phase that has the most of them at once. Tensors are followed through the
/// networks' code (``LiveTensors``); phases follow one another and share their memory, and the pool holds little more than was
/// ever in use (see `StorageArena`).
///
/// Attention is no phase of its own: its scores never leave the caches, so that computing it in blocks would save nothing.
public struct MemoryPlan: Sendable, Hashable {
  /// What is drawn.
  public struct Pictures: Sendable, Hashable {
    /// Their size.
    public var (width, height): (Int, Int)
    /// How many at once.
    public var batch: Int
    /// Whether each is computed with and without its text.
    public var isGuided: Bool
    /// How many times larger a second pass makes them.
    public var enlargement: Double?
    /// Whether they are drawn from a picture, which is encoded.
    public var isFromPicture: Bool

    /// Pictures.
    public init(
      width: Int, height: Int, batch: Int = 1, isGuided: Bool = true, enlargement: Double? = nil,
      isFromPicture: Bool = false
    ) {
      (self.width, self.height) = (width, height)
      (self.batch, self.isGuided) = (batch, isGuided)
      (self.enlargement, self.isFromPicture) = (enlargement, isFromPicture)
    }
  }

  /// Weights that low-rank changes are added to.
  public struct Changes: Sendable, Hashable {
    /// Their names.
    public var weights: [AdaptedPart: Set<String>]
    /// Whether they keep their type, see ``LatentModel/applying(_:keepsTypes:)``.
    public var keepsTypes: Bool

    /// Changes.
    public init(weights: [AdaptedPart: Set<String>] = [:], keepsTypes: Bool = false) {
      (self.weights, self.keepsTypes) = (weights, keepsTypes)
    }
  }

  /// What the memory is held down by.
  public let measures: MemoryMeasures
  /// Bytes of weights, those that adapters change included.
  public let weights: Int
  /// Bytes of tensors, streamed weights included, while a picture that is drawn from is encoded; 0 where there is none.
  public let encoding: Int
  /// Bytes of tensors while the U-Net is evaluated, in the larger of two passes.
  public let denoising: Int
  /// Bytes of tensors while pictures are decoded.
  public let decoding: Int
  /// Bytes of the program itself: its code, its vocabulary, each thread's scratch.
  public let program: Int

  /// Bytes at most: the phases follow one another and share their memory.
  public var peak: Int { program + weights + max(encoding, denoising, decoding) }

  /// A plan for a model with the measures given.
  ///
  /// - Parameter changes: what is added to weights after they are read.
  public init(
    _ parts: LatentParts, drawing pictures: Pictures, measures: MemoryMeasures = MemoryMeasures(),
    changes: Changes = Changes()
  ) {
    self.measures = measures
    let bytes = Self.weightBytes(parts, measures, changes)
    weights = bytes.kept
    let unit = parts.autoencoder.configuration.reduction
    func latents(_ factor: Double) -> LiveTensors.Place {
      func side(_ length: Int) -> Int { Int((Double(length) * factor / Double(unit)).rounded()) }
      return .init(
        batch: pictures.batch, height: side(pictures.height), width: side(pictures.width))
    }
    let (first, last) = (latents(1), latents(max(1, pictures.enlargement ?? 1)))
    encoding =
      pictures.isFromPicture
      ? bytes.largestOfAutoencoder + Self.encodingBytes(parts, first, measures) : 0
    denoising =
      bytes.largestOfUNet + Self.denoisingBytes(parts, last, isGuided: pictures.isGuided, measures)
    decoding = bytes.largestOfAutoencoder + Self.decodingBytes(parts, last, measures)
    program = Self.programBytes
  }

  /// The plan with the fewest measures that stays below `limit` bytes.
  ///
  /// - Throws: ``PipelineError/request(part:problem:)`` where none does.
  public static func fitting(
    _ limit: Int, _ parts: LatentParts, drawing pictures: Pictures,
    measures: MemoryMeasures = MemoryMeasures(), changes: Changes = Changes()
  ) throws(PipelineError) -> MemoryPlan {
    var least: MemoryPlan?
    for weights in [measures.weights, .streamed] {
      for side in [nil, 64, 48, 32, 24, 16] {
        var next = measures
        next.weights = weights
        next.tiling = side.map { AutoencoderTiling(latentSide: $0) }
        let plan = MemoryPlan(parts, drawing: pictures, measures: next, changes: changes)
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
  private static func weightBytes(
    _ parts: LatentParts, _ measures: MemoryMeasures, _ changes: Changes
  ) -> WeightBytes {
    var bytes = WeightBytes(measures: measures, keepsTypes: changes.keepsTypes)
    bytes.largestOfUNet = bytes.add(parts.unet, changed: changes.weights[.unet] ?? [])
    bytes.largestOfAutoencoder = bytes.add(parts.autoencoder, changed: [])
    for (index, text) in parts.texts.enumerated() {
      _ = bytes.add(text.part, changed: changes.weights[.text(index)] ?? [])
    }
    return bytes
  }
}

/// Adds up what weights take.
private struct WeightBytes {
  let measures: MemoryMeasures
  let keepsTypes: Bool
  /// What is there all the time.
  var kept = 0
  /// The most that one streamed weight takes while it is used, of the parts whose tensors are many.
  var largestOfUNet = 0
  var largestOfAutoencoder = 0

  /// Adds a part and gives the most that one of its streamed weights takes.
  mutating func add<Configuration>(
    _ part: LatentParts.Part<Configuration>, changed: Set<String>
  ) -> Int {
    var largest = 0
    for (name, shape) in part.tensors {
      guard let entry = part.source.entry(named: name) else { continue }
      let count = shape.reduce(1, *)
      if shape.count < 2 {
        kept += DType.float32.size * count
        continue
      }
      let type = type(of: entry.type, name, shape)
      let bytes = type.byteCount(of: count)
      let isMapped = shape.count == 2 && StoredType(type) == entry.type
      if changed.contains(name) {
        kept += keepsTypes ? bytes : count * DType.float32.size
        // What was read to be changed stays where it is a mapped file's.
        if isMapped && measures.weights != .streamed { kept += bytes }
      } else if measures.weights == .streamed {
        // The stored one, the one in order and the copy that is used are there at once.
        largest = max(largest, isMapped ? bytes : 3 * bytes)
      } else if !(isMapped && name.contains("token_embedding")) {
        kept += bytes
      }
    }
    return largest
  }

  private func type(of stored: StoredType, _ name: String, _ shape: [Int]) -> DType {
    let layout: ParameterLayout =
      shape.count > 2 ? .convolution : name.contains("token_embedding") ? .embedding : .linear
    return measures.weightType.flatMap { WeightStorage.rounded(to: $0, layout, shape: shape) }
      ?? measures.weights.type(of: stored, layout) ?? .float32
  }
}

// MARK: - Tensors

extension MemoryPlan {
  /// The program with its libraries and vocabulary, measured.
  private static let programBytes = 64 << 20
  /// What the pool holds for each byte that was in use at once, for the gaps between blocks: measured at 1.15 to 1.25 beside
  /// streamed weights, and from there to 1.6 (768x768) where weights lie among the tensors.
  private static func held(_ tensors: LiveTensors, _ measures: MemoryMeasures) -> Int {
    Int((measures.weights == .streamed ? 1.2 : 1.4) * Double(tensors.peak))
  }

  private static func denoisingBytes(
    _ parts: LatentParts, _ latents: LiveTensors.Place, isGuided: Bool, _ measures: MemoryMeasures
  ) -> Int {
    var (seen, tensors) = (latents, LiveTensors())
    if isGuided { seen.batch *= 2 }
    let tokens = parts.texts.map(\.part.configuration.mostTokens).max() ?? 0
    tensors.evaluate(parts.unet.configuration, on: seen, textTokens: tokens)
    return held(tensors, measures)
  }

  /// Samples are decoded one by one; the pictures stay, beside those of the tiles that they are joined from.
  private static func decodingBytes(
    _ parts: LatentParts, _ latents: LiveTensors.Place, _ measures: MemoryMeasures
  ) -> Int {
    let configuration = parts.autoencoder.configuration
    var tensors = LiveTensors()
    tensors.decode(configuration, tile(of: latents, measures.tiling))
    let unit = configuration.reduction
    let values = latents.pixels * unit * unit * configuration.outChannels * 4
    return held(tensors, measures) + (measures.tiling == nil ? 2 : 4) * values
  }

  private static func encodingBytes(
    _ parts: LatentParts, _ latents: LiveTensors.Place, _ measures: MemoryMeasures
  ) -> Int {
    let configuration = parts.autoencoder.configuration
    var (tensors, picture) = (LiveTensors(), tile(of: latents, measures.tiling))
    picture.height *= configuration.reduction
    picture.width *= configuration.reduction
    tensors.encode(configuration, picture)
    return held(tensors, measures) + 4 * 3 * picture.pixels * 4
  }

  private static func tile(
    of latents: LiveTensors.Place, _ tiling: AutoencoderTiling?
  ) -> LiveTensors.Place {
    let side = tiling?.latentSide ?? .max
    return .init(batch: 1, height: min(side, latents.height), width: min(side, latents.width))
  }
}

extension MemoryPlan: CustomStringConvertible {
  /// One line.
  public var description: String {
    "\(Self.text(peak)) at most are expected: weights \(Self.text(weights)), "
      + (encoding > 0 ? "encoding \(Self.text(encoding)), " : "")
      + "denoising \(Self.text(denoising)), decoding \(Self.text(decoding)), "
      + "the program \(Self.text(program)); \(measures)"
  }
}
