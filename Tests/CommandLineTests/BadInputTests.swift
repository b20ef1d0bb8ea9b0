import Foundation
import TensorCheckpoints
import TestSupport
import Testing

/// Wrong arguments and damaged files: one clear line, the right exit code, and no half-written file.
@Suite struct BadInputTests {
  /// Arguments, the exit code, and what the line has to speak of.
  static let cases: [(String, Int32, String)] = [
    ("generate", 64, "--out"),
    ("generate --out a.png --class 10", 64, "0 to 9"),
    ("generate --out a.png --class seven", 64, "seven"),
    ("generate --out a.png --count 0", 64, "--count"),
    ("generate --out a.png --steps 0", 64, "--steps"),
    ("generate --out a.png --steps 1001", 64, "1000"),
    ("generate --out a.png --threads 0", 64, "--threads"),
    ("generate --out a.png --sampler ddim --eta 2", 64, "eta"),
    ("generate --out a.png --eta 0.5", 64, "--eta"),
    ("generate --out a.png --sampler magic", 64, "magic"),
    ("generate --out a.jpg", 64, ".png"),
    ("generate --out a%d%d.png --count 2", 64, "%03d"),
    ("generate --out nowhere/a.png", 1, "nowhere"),
    ("generate --out a.png --model missing.safetensors", 1, "missing.safetensors"),
    ("generate --out a.png --unknown", 64, "--unknown"),
    ("generate --out a.png --sampler heun --sampler-option snr=1", 64, "it has noise-scale, churn"),
    ("generate --out a.png --sampler dpm++2m --sampler-option order", 64, "key=value"),
    ("generate --out a.png --sampler deis --sampler-option order=9", 64, "has 1 to 3, found 9"),
    ("generate --out a.png --lora a.safetensors", 64, "--lora: only models that draw from texts"),
    ("generate --out a.png --embedding a.pt", 64, "--embedding: only models"),
    (
      "generate --out a.png --steps 1 --model \(Shared.golden.path)/pipeline_text --lora "
        + "\(Shared.golden.path)/layers.safetensors:0.5", 1, "layers.safetensors: "
    ),
    ("paint", 64, "paint"),
    ("inspect missing.safetensors", 1, "missing.safetensors"),
    ("tokenize", 64, "text"),
    ("tokenize a --vocabulary missing.json", 1, "missing.json"),
    ("tokenize a --model a --vocabulary b", 64, "--vocabulary"),
    ("train ddpm --config missing.json", 1, "missing.json"),
  ]

  @Test(arguments: cases)
  func wrongArgumentsGetOneClearLine(_ line: String, _ code: Int32, _ subject: String) throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(line)
    #expect(outcome.code == code, "\(outcome.errors)")
    #expect(outcome.errorLines.count == 1 && outcome.errors.contains(subject), "\(outcome.errors)")
    #expect(program.files.isEmpty)
  }

  /// The embedded model's file, to damage.
  private var model: URL {
    Program.products.appendingPathComponent(Program.resources)
      .appendingPathComponent("mnist.safetensors")
  }

  private func expectRefusal(of name: String, naming subject: String, in program: Program) throws {
    let before = program.files
    let outcome = try program.run("generate --model \(name) --out a.png --steps 1")
    #expect(outcome.code == 1)
    #expect(outcome.errorLines.count == 1 && outcome.errors.contains(subject), "\(outcome.errors)")
    #expect(program.files == before)
  }

  @Test func aTruncatedCheckpointIsRefused() throws {
    let program = try Program()
    defer { program.remove() }
    let whole = try Data(contentsOf: model)
    try whole.prefix(whole.count - 1000).write(to: program.file("cut.safetensors"))
    try expectRefusal(of: "cut.safetensors", naming: "cut.safetensors", in: program)
    try Data(count: 0).write(to: program.file("empty.safetensors"))
    try expectRefusal(of: "empty.safetensors", naming: "empty.safetensors", in: program)
  }

  @Test func aForeignFileIsRefused() throws {
    let program = try Program()
    defer { program.remove() }
    try Data("no checkpoint at all, only text".utf8).write(to: program.file("note.safetensors"))
    try expectRefusal(of: "note.safetensors", naming: "note.safetensors", in: program)
    var writer = CheckpointWriter()
    writer.add("layer.weight", .zeros([2, 3]))
    try writer.write(to: program.file("other.safetensors").path)
    try expectRefusal(of: "other.safetensors", naming: "other.safetensors", in: program)
  }

  @Test func aCheckpointWithOneTensorMissingIsRefusedByItsName() throws {
    let program = try Program()
    defer { program.remove() }
    let source = try SafetensorsFile(path: model.path)
    var writer = CheckpointWriter(metadata: source.metadata)
    for entry in source.entries where entry.name != "conv_in.weight" {
      writer.add(entry.name, try source.tensor(named: entry.name))
    }
    try writer.write(to: program.file("lacking.safetensors").path)
    try expectRefusal(of: "lacking.safetensors", naming: "conv_in.weight", in: program)
  }
}
