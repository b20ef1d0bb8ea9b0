import ArgumentParser
import DiffusionPipelines
import Foundation
import TensorCheckpoints

/// `diffusion convert`.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a model in another layout or precision.",
    discussion: """
      A model of texts in any layout that is read becomes a diffusers folder, one safetensors file under the original \
      names, or one GGUF file. Another checkpoint keeps its names. Nothing is written unless all of it is; without \
      --dtype the elements keep their bytes.

      Example:
        diffusion convert v1-5-pruned.ckpt sd15/ --dtype f16
        diffusion convert sd15/ sd15-q8.gguf --dtype q8_0
      """)

  @Argument(help: "A model or another checkpoint.")
  var input: String

  @Argument(help: "The folder or file to write.")
  var output: String

  @Option(help: "diffusers, single or gguf (default: what the output's name ends in).")
  var to: ModelLayout?

  @Option(
    help: """
      f32, f16, bf16 or q8_0, which is for GGUF's matrices; convolutions are f16 then (default: as they are).
      """)
  var dtype: StoredPrecision?

  @OptionGroup var parts: PartArguments

  func run() throws {
    let layout = to ?? ModelLayout(path: output)
    var notes: [String] = []
    if try LatentModel.isLatentModel(input) {
      let model = try LatentParts(path: input, options: parts.options, notes: &notes)
      for note in notes { Console.note("note: \(note)") }
      do {
        try model.write(to: output, layout: layout, precision: dtype)
      } catch {
        throw Self.usage(error)
      }
    } else {
      try convertNames(layout)
    }
    print(output)
  }

  /// What a layout cannot have is wrong usage.
  private static func usage(_ error: PipelineError) -> any Error {
    if case .request(let part, let problem) = error {
      return ValidationError("--\(part): \(problem)")
    }
    return error
  }

  /// A checkpoint that is no whole model: its tensors under the names that they have.
  private func convertNames(_ layout: ModelLayout) throws {
    guard layout != .diffusers else {
      throw ValidationError(
        "--to: \(input) is no model of texts; write a .safetensors or .gguf file of its tensors")
    }
    let source = try openCheckpoint(path: input)
    var writer = CheckpointWriter()
    try writer.add(source, dtype, isGGUF: layout == .gguf)
    if layout == .gguf {
      try writer.writeGGUF(to: output, architecture: "unknown")
    } else {
      writer.metadata = source is SafetensorsFile ? source.metadata : ["format": "pt"]
      try writer.write(to: output)
    }
  }
}

extension ModelLayout: ExpressibleByArgument {}
extension StoredPrecision: ExpressibleByArgument {}
