import ArgumentParser
import DiffusionPipelines
import TensorCore

/// In what precision weights are kept.
enum WeightPrecision: String, CaseIterable, ExpressibleByArgument {
  case f32, bf16
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
      multiplied with, on processors that have instructions for it (others round the weights alone); sums are float32.
      """)
  var precision = WeightPrecision.f32

  /// The first option that was given, by its name.
  var given: String? {
    maxMemory != nil ? "max-memory" : precision != .f32 ? "precision" : nil
  }

  func validate() throws {
    if let maxMemory, ProcessMemory.bytes(maxMemory) == nil {
      throw ValidationError("--max-memory takes a size such as 2G or 1500M, not \(maxMemory).")
    }
  }

  /// What products are computed in; says so where the processor cannot do what was asked for.
  var products: ProductPrecision {
    guard precision == .bf16 else { return .float32 }
    if !Backend.hasBFloat16 {
      Console.note(
        "note: this processor does not multiply bfloat16 numbers: computed in float32")
    }
    return .bfloat16
  }

  /// The plan for pictures: the limit's where there is one.
  func plan(
    _ parts: LatentParts, drawing pictures: MemoryPlan.Pictures
  ) throws -> MemoryPlan {
    let measures = MemoryMeasures(weightType: precision == .bf16 ? .bfloat16 : nil)
    guard let limit = maxMemory.flatMap(ProcessMemory.bytes) else {
      return MemoryPlan(parts, drawing: pictures, measures: measures)
    }
    return try MemoryPlan.fitting(limit, parts, drawing: pictures, measures: measures)
  }
}
