import ArgumentParser
import DiffusionPipelines
import TensorCheckpoints

/// `diffusion inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "List the tensors and the metadata of a checkpoint.",
    discussion: """
      Example:
        diffusion inspect model.safetensors
        diffusion inspect v1-5-pruned.ckpt
        diffusion inspect --plan --width 768 --height 768 sd15/
      """)

  @Argument(
    help: """
      A safetensors, PyTorch (.ckpt, .pt, .pth, .bin) or GGUF file, or the index.json of several; told apart by content.
      """)
  var file: String

  @Flag(help: "Say what memory drawing takes, from the shapes alone; for models of texts.")
  var plan = false

  @Option(help: "With --plan: the pictures' width (default: what the model was trained on).")
  var width: Int?

  @Option(help: "With --plan: the pictures' height.")
  var height: Int?

  @Option(help: "With --plan: pictures computed at once.")
  var batch = 1

  @Option(help: "With --plan: the guidance; 1 or less has no second half of a batch.")
  var guidance: Double?

  @Option(help: "With --plan: how many times larger a second pass makes the pictures.")
  var hires: Double?

  @Flag(help: "With --plan: pictures are drawn from a picture, which is encoded.")
  var initImage = false

  @Option(help: "With --plan: a file of low-rank changes (LoRA). Repeatable.")
  var lora: [String] = []

  @OptionGroup var parts: PartArguments
  @OptionGroup var memory: MemoryArguments
  @OptionGroup var json: JSONOption

  func run() throws {
    if plan { return try printPlan() }
    let checkpoint = try openCheckpoint(path: file)
    let content = CheckpointContent(checkpoint)
    if json.json != "-" { print(content.text) }
    try json.write(content)
  }

  private func printPlan() throws {
    var notes: [String] = []
    let model = try LatentParts(path: file, options: parts.options, notes: &notes)
    for note in notes { Console.note("note: \(note)") }
    let side = model.usualSide
    let plan: MemoryPlan
    do {
      plan = try memory.plan(
        model,
        drawing: .init(
          width: width ?? side, height: height ?? side, batch: batch,
          isGuided: (guidance ?? 7.5) > 1, enlargement: hires, isFromPicture: initImage),
        adapters: lora.map(LoRAFile.init(parsing:)))
    } catch PipelineError.request(let part, let problem) {
      throw ValidationError("--\(part): \(problem)")
    }
    if json.json != "-" { print(plan) }
    try json.write(
      PlanReport(
        peak: plan.peak, weights: plan.weights, encoding: plan.encoding, denoising: plan.denoising,
        decoding: plan.decoding, program: plan.program, measures: "\(plan.measures)"))
  }
}

/// What `--plan --json` gives, in bytes.
private struct PlanReport: Encodable {
  let peak: Int
  let weights: Int
  let encoding: Int
  let denoising: Int
  let decoding: Int
  let program: Int
  let measures: String
}

/// What a checkpoint holds, to be printed.
private struct CheckpointContent: Encodable {
  struct Entry: Encodable {
    let name: String
    let dtype: String
    let shape: [Int]
  }

  let path: String
  let parameters: Int
  let bytes: Int
  let tensors: [Entry]
  let metadata: [String: String]

  init(_ source: any CheckpointSource) {
    path = source.path
    tensors = source.entries.map {
      Entry(name: $0.name, dtype: $0.type.rawValue, shape: $0.shape)
    }
    parameters = source.entries.reduce(0) { $0 + $1.count }
    bytes = source.entries.reduce(0) { $0 + ($1.type.byteCount($1.shape) ?? 0) }
    metadata = source.metadata
  }

  /// A line a tensor, a line a text of the metadata, and the sums.
  var text: String {
    let names = tensors.map { quoted($0.name).dropFirst().dropLast() }
    let width = names.map(\.count).max() ?? 0
    let rows = zip(names, tensors).map { name, entry in
      let gap = String(repeating: " ", count: width - name.count + 2)
      return "\(name)\(gap)\(entry.dtype)  \(entry.shape.map(String.init).joined(separator: "x"))"
    }
    let texts = metadata.sorted { $0.key < $1.key }.map {
      "\(quoted($0.key).dropFirst().dropLast()): \(quoted($0.value).dropFirst().dropLast())"
    }
    let sums = "\(tensors.count) tensors, \(parameters) parameters, \(bytes) bytes"
    return (rows + texts + [sums]).joined(separator: "\n")
  }
}
