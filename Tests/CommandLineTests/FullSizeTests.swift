import DiffusionImages
import Foundation
import TestSupport
import Testing

/// The folder of models of full size, which the environment names.
private enum FullSize {
  static let folder = ProcessInfo.processInfo.environment["FULL_SIZE_MODEL"]
}

/// A Stable Diffusion 1.5 of full size with random weights, as `Benchmarks/make_full_size.py` writes it into the folder that
/// `FULL_SIZE_MODEL` names: what memory drawing takes, what the plan said, and the picture of stored weights.
@Suite(
  .serialized,
  .enabled(
    if: FullSize.folder != nil && Shared.runsSlowTests,
    "needs SLOW_TESTS=1 and FULL_SIZE_MODEL, the folder of Benchmarks/make_full_size.py"))
struct FullSizeTests {
  /// A model's file, the options of a run, and the most bytes that it may take.
  struct Case: Sendable, CustomTestStringConvertible {
    let model: String
    var options: [String] = []
    var limit = Int.max
    var testDescription: String { ([model] + options).joined(separator: " ") }
  }

  static let cases = [
    Case(model: "folder", limit: 6_000_000_000),
    Case(model: "single.safetensors", limit: 6_000_000_000),
    Case(model: "half", limit: 3_600_000_000),
    Case(model: "q8_0.gguf", limit: 3_600_000_000),
    Case(model: "folder", options: ["--max-memory", "2G"], limit: 2 << 30),
    Case(model: "half", options: ["--max-memory", "2G"], limit: 2 << 30),
    Case(model: "half", options: ["--width", "256", "--height", "256"]),
    Case(model: "half", options: ["--width", "768"]),
    Case(model: "half", options: ["--count", "2", "--batch", "2"]),
    Case(model: "half", options: ["--guidance", "1"]),
    Case(model: "half", options: ["--hires", "1.5", "--hires-strength", "1"]),
  ]

  /// A model of the folder; `half` is the folder in half precision, `-widened` a model with the same
  /// numbers in float32.
  private func model(_ name: String, _ program: Program) throws -> String {
    let folder = try #require(FullSize.folder)
    let path = "\(folder)/\(name)"
    let sources = [
      "half": ("folder", "f16"), "half-widened": ("half", "f32"),
      "q8_0.gguf-widened": ("q8_0.gguf", "f32"),
    ]
    if let (source, type) = sources[name], !FileManager.default.fileExists(atPath: path) {
      let outcome = try program.run(
        ["convert", try model(source, program), path, "--dtype", type])
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
    return path
  }

  private func draw(
    _ model: String, _ options: [String], to name: String, _ program: Program
  ) throws -> Program.Outcome {
    let outcome = try program.run(
      [
        "generate", "--model", try self.model(model, program), "--prompt", "a red house", "--seed",
        "1", "--sampler", "ddim", "--out", name, "--verbose",
      ] + options)
    #expect(outcome.code == 0, "\(outcome.errors)")
    return outcome
  }

  /// What a line `memory: 1.23 GiB at most WORD` says, in bytes.
  private func bytes(_ word: String, in text: String) throws -> Double {
    let pattern = try Regex("memory: ([0-9.]+) (KiB|MiB|GiB) at most \(word)")
    let match = try #require(text.firstMatch(of: pattern), "\(text)")
    let units = ["KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30]
    let number = try #require(match.output[1].substring.flatMap { Double($0) })
    return number * (match.output[2].substring.flatMap { units[String($0)] } ?? 0)
  }

  @Test(arguments: cases) func memoryIsAsPlanned(_ run: Case) throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try draw(
      run.model, ["--steps", "1"] + run.options,
      to: run.options.contains("--count") ? "p%d.png" : "p.png", program)
    let taken = try bytes("were", in: outcome.errors)
    let expected = try bytes("are", in: outcome.errors)
    print("\(run.testDescription): expected \(expected), taken \(taken), ratio \(expected / taken)")
    #expect(taken < Double(run.limit))
    #expect(abs(expected / taken - 1) < 0.1, "expected \(expected), taken \(taken)")
  }

  /// The picture is that of float32 arithmetic on the same weights.
  @Test(arguments: ["half", "q8_0.gguf"])
  func storedWeightsDrawWhatWidenedOnesDraw(_ model: String) throws {
    let program = try Program()
    defer { program.remove() }
    var pictures: [[UInt8]] = []
    for name in [model, "\(model)-widened"] {
      _ = try draw(
        name, ["--steps", "2", "--width", "256", "--height", "256"], to: "picture.png", program)
      pictures.append(try Image(reading: program.file("picture.png").path).samples)
    }
    let difference = zip(pictures[0], pictures[1]).map { abs(Int($0) - Int($1)) }.max()
    print("\(model): at most \(difference ?? -1) of 255")
    #expect(try #require(difference) <= 2)
    #expect(Set(pictures[0]).count > 16, "a picture of one colour shows nothing")
  }
}
