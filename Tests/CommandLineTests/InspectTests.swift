import Foundation
import TestSupport
import Testing

/// `diffusion inspect` on every format, told apart by content.
@Suite struct InspectTests {
  /// A golden file, one line of its listing, and the number of its tensors.
  static let files: [(name: String, line: String, count: Int)] = [
    ("checkpoint.safetensors", "bfloat16                BF16  3", 21),
    ("torch/zip.pt", "views.transposed       F32  12x5", 31),
    ("torch/legacy.pt", "types.complex64      C64  6", 26),
    ("torch/lightning.ckpt", "global_step: 470000", 2),
    ("gguf/types.gguf", "Q4_K      Q4_K  3x512", 14),
  ]

  @Test(arguments: files) func listsEveryFormat(
    _ file: (name: String, line: String, count: Int)
  ) throws {
    let program = try Program()
    defer { program.remove() }
    // The name says nothing.
    try FileManager.default.copyItem(
      at: Shared.golden.appendingPathComponent(file.name), to: program.file("model.dat"))
    let listed = try program.run("inspect model.dat")
    #expect(listed.code == 0, "\(listed.errors)")
    let squeezed = listed.output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(squeezed.contains(file.line.split(separator: " ")), "\(listed.output)")
    let json = try program.run("inspect model.dat --json")
    let content = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect((content?["tensors"] as? [Any])?.count == file.count)
  }

  @Test func refusesCodeByName() throws {
    let program = try Program()
    defer { program.remove() }
    try Data("cos\nsystem\n(S'touch ran'\ntR.".utf8).write(to: program.file("model.ckpt"))
    let outcome = try program.run("inspect model.ckpt")
    #expect(outcome.code == 1 && outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("model.ckpt: refused: its pickle asks for \"os.system\""))
    #expect(program.files == ["model.ckpt"])
  }
}
