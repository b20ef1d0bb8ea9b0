import DiffusionImages
import Foundation
import TestSupport
import Testing

/// `diffusion train ddpm` and `train score` as processes, on a handful of drawn pictures.
@Suite struct TrainTests {
  /// A program whose folder has eight small pictures, a manifest and a configuration for a few steps.
  private func prepared(manifest: String? = nil) throws -> Program {
    let program = try Program()
    var rows = "file\tclass\n"
    for index in 0..<8 {
      let samples = (0..<64).map { UInt8(($0 * (index + 3)) % 256) }
      try Image(width: 8, height: 8, channels: 1, samples: samples)
        .writePNG(to: program.file("\(index).png").path)
      rows += "\(index).png\t\(index % 2)\n"
    }
    try Data((manifest ?? rows).utf8).write(to: program.file("manifest.tsv"))
    let configuration = """
      {"model": {"sample_size": 8, "in_channels": 1, "out_channels": 1, "block_out_channels": [8, 16],
       "down_block_types": ["DownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "UpBlock2D"],
       "layers_per_block": 1, "norm_num_groups": 4, "num_class_embeds": 3},
       "data": {"kind": "manifest", "path": "manifest.tsv", "class_column": "class",
       "resolution": 8},
       "samples": {"per_class": 1, "steps": 1},
       "training": {"steps": 4, "batch_size": 2, "output": "run", "checkpoint_interval": 2}}
      """
    try Data(configuration.utf8).write(to: program.file("config.json"))
    return program
  }

  @Test(arguments: ["ddpm", "score"]) func aRunLeavesAModelThatGenerates(verb: String) throws {
    let program = try prepared()
    defer { program.remove() }
    let trained = try program.run("train \(verb) --config config.json")
    #expect(trained.code == 0, "\(trained.errors)")
    let model = trained.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let drawn = try program.run("generate --model \(model) --class 1 --steps 2 --out a.png")
    #expect(drawn.code == 0, "\(drawn.errors)")
    let again = try program.run(
      "generate --model run/checkpoint-000004.safetensors --schedule trailing --out b.png")
    #expect(again.code == 0, "\(again.errors)")
    let listed = try program.run("inspect \(model) --json")
    #expect(listed.code == 0)
    #expect(try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) is [String: Any])
  }

  @Test(arguments: ["ddpm", "score"])
  func resumingGivesTheBytesOfARunWithoutAStop(verb: String) throws {
    let program = try prepared()
    defer { program.remove() }
    let model = program.file("run/model.safetensors")
    #expect(try program.run("train \(verb) --config config.json").code == 0)
    let whole = try Data(contentsOf: model)
    try FileManager.default.removeItem(at: model)
    let resumed = try program.run(
      "train \(verb) --config config.json --resume run/checkpoint-000002.safetensors")
    #expect(resumed.code == 0, "\(resumed.errors)")
    let same = try Data(contentsOf: model) == whole
    #expect(same)
  }

  @Test func aManifestThatNamesAMissingFileIsRefused() throws {
    let program = try prepared(manifest: "file\tclass\n0.png\t0\nabsent.png\t1\n")
    defer { program.remove() }
    let outcome = try program.run("train ddpm --config config.json")
    #expect(outcome.code == 1)
    #expect(
      outcome.errorLines.count == 1 && outcome.errors.contains("absent.png"), "\(outcome.errors)")
    #expect(!program.files.contains("run"))
  }

  @Test func aDamagedGzipFileIsRefused() throws {
    let program = try prepared()
    defer { program.remove() }
    for name in ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"] {
      try Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).write(to: program.file(name))
    }
    let outcome = try program.run(
      "train ddpm --config config.json --set data.kind=idx --set data.path=.")
    #expect(outcome.code == 1)
    #expect(
      outcome.errorLines.count == 1 && outcome.errors.contains("ubyte.gz"), "\(outcome.errors)")
  }

  @Test func anUnknownKeyIsRefusedWithTheNearestKnownOne() throws {
    let program = try prepared()
    defer { program.remove() }
    let outcome = try program.run("train ddpm --config config.json --set training.batchsize=4")
    #expect(outcome.code == 1 || outcome.code == 64)
    #expect(
      outcome.errorLines.count == 1 && outcome.errors.contains("batch_size"), "\(outcome.errors)")
  }
}
