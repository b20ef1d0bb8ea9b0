import ArgumentParser
import DiffusionModels
import DiffusionPipelines
import TensorCore

/// In what precision weights are kept.
enum WeightPrecision: String, CaseIterable, ExpressibleByArgument {
  case f32, bf16, q8

  /// What weights are rounded to; `nil` for the files' own types.
  var weightType: DType? {
    switch self {
    case .f32: nil
    case .bf16: .bfloat16
    case .q8: .q8_0
    }
  }
}

/// How much memory a model of texts may take.
struct MemoryArguments: ParsableArguments {
  @Option(
    help: """
      The memory to stay below, such as 2G: pictures are decoded in tiles and weights read at each use where it takes that.
      """)
  var maxMemory: String?

  @Option(
    help: """
      f32 computes with the weights as the files have them (half stays half); bf16 rounds weights and what they are \
      multiplied with, on processors that have instructions for it (others round the weights alone); q8 is bf16 with the \
      weights of linear layers in blocks of 8 bits (Q8_0), half of their memory; sums are float32.
      """)
  var precision = WeightPrecision.f32

  @Option(
    help: """
      Decode pictures in tiles of so many latents a side, as --max-memory may choose; 0 for none. Seams are blended, but \
      pictures change slightly.
      """)
  var tile: Int?

  /// The first option that was given, by its name.
  var given: String? {
    maxMemory != nil
      ? "max-memory" : tile != nil ? "tile" : precision != .f32 ? "precision" : nil
  }

  /// What a recipe says of the tiles that a model decodes in.
  func tile(of tiling: AutoencoderTiling?) -> Int? {
    maxMemory != nil || tile != nil ? tiling?.latentSide ?? 0 : nil
  }

  func validate() throws {
    if let tile, tile < 0 || tile == 1 {
      throw ValidationError("--tile takes 2 latents or more, or 0, not \(tile).")
    }
    if maxMemory != nil, tile != nil {
      throw ValidationError("--max-memory chooses the tiles; leave --tile out.")
    }
    if let maxMemory, ProcessMemory.bytes(maxMemory) == nil {
      throw ValidationError("--max-memory takes a size such as 2G or 1500M, not \(maxMemory).")
    }
  }

  /// What products are computed in; says so where the processor cannot do what was asked for.
  var products: ProductPrecision {
    if precision == .f32 { return .float32 }
    if !Backend.hasBFloat16 {
      Console.note(
        "note: this processor does not multiply bfloat16 numbers: computed in float32")
    }
    return .bfloat16
  }

  /// The plan for pictures: the limit's where there is one.
  func plan(
    _ parts: LatentParts, drawing pictures: MemoryPlan.Pictures, adapters: [LoRAFile]
  ) throws -> MemoryPlan {
    let measures = MemoryMeasures(
      weightType: precision.weightType,
      tiling: tile.flatMap { $0 > 0 ? AutoencoderTiling(latentSide: $0) : nil })
    let changes = MemoryPlan.Changes(
      weights: try parts.changed(by: adapters), keepsTypes: given != nil)
    guard let limit = maxMemory.flatMap(ProcessMemory.bytes) else {
      return MemoryPlan(parts, drawing: pictures, measures: measures, changes: changes)
    }
    return try MemoryPlan.fitting(
      limit, parts, drawing: pictures, measures: measures, changes: changes)
  }
}
