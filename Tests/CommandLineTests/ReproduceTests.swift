import DiffusionImages
import DiffusionPipelines
import Foundation
import TestSupport
import Testing

/// `diffusion reproduce`, and what `diffusion generate` leaves in its pictures for it.
@Suite struct ReproduceTests {
  /// Options of `generate` that a picture does not depend on; any other has to be in its recipe.
  private static let apart: Set<String> = [
    "out", "count", "batch", "threads", "verbose", "json", "help", "version", "preview",
    "max-memory",
  ]

  private struct Help: Decodable {
    struct Command: Decodable {
      let arguments: [Argument]?
    }
    struct Argument: Decodable {
      let names: [Name]?
    }
    struct Name: Decodable {
      let name: String
    }
    let command: Command
  }

  @Test func everyOptionIsInTheRecipeOrNoMatterOfThePicture() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run("generate --experimental-dump-help")
    let help = try JSONDecoder().decode(Help.self, from: Data(outcome.output.utf8))
    let options = (help.command.arguments ?? []).compactMap { $0.names?.last?.name }
    #expect(options.count > 20)
    var recipe = PictureRecipe()
    (recipe.model, recipe.variant, recipe.vae, recipe.lora) = ("a", "a", "a", ["a"])
    (recipe.precision, recipe.class, recipe.prompt, recipe.negative) = ("a", 1, "a", "a")
    (recipe.width, recipe.height, recipe.clipSkip, recipe.initImage) = (1, 1, 1, "a")
    (recipe.strength, recipe.mask, recipe.steps, recipe.sampler) = (1, "a", 1, "a")
    (recipe.schedule, recipe.shift, recipe.rho, recipe.sigmaMin) = ("a", 1, 1, 1)
    (recipe.sigmaMax, recipe.eta, recipe.samplerOption) = (1, 1, ["a=1"])
    (recipe.textEncoder, recipe.prediction) = (["a"], "a")
    (recipe.guidance, recipe.seed, recipe.rng, recipe.embedding) = (1, 1, .torch, ["a"])
    (recipe.maskBlur, recipe.maskedArea, recipe.redrawOutside) = (1, 1, true)
    (recipe.hires, recipe.hiresStrength, recipe.fast) = (1, 1, true)
    (recipe.hiresSteps, recipe.tile, recipe.loraDir, recipe.embeddingDir) = (1, 1, "a", "a")
    (recipe.variationSeed, recipe.variationStrength) = (1, 1)
    let known = Set(recipe.arguments.map { $0.dropFirst(2).prefix { $0 != "=" } }.map(String.init))
    for option in options where !Self.apart.contains(option) {
      #expect(known.contains(option), "--\(option) is in no recipe")
    }
  }

  /// Also a picture from the middle of a batch, by a sampler with options and a schedule of its own.
  @Test func ownDigitsComeOutByteForByte() throws {
    let program = try Program()
    defer { program.remove() }
    let run = try program.run(
      "generate --class 7 --class 2 --seed 11 --steps 4 --count 3 --sampler euler-a --eta 0.7 --sampler-option noise-scale=1.01 "
        + "--schedule karras --guidance 2 --rng philox --out a%d.png")
    #expect(run.code == 0, "\(run.errors)")
    for index in 0..<3 {
      let again = try program.run("reproduce a\(index).png --out b\(index).png --threads 1")
      #expect(again.code == 0, "\(again.errors)")
      let same =
        try Data(contentsOf: program.file("a\(index).png"))
        == Data(contentsOf: program.file("b\(index).png"))
      #expect(same, "a\(index).png")
    }
  }

  @Test func ownPicturesOfATextComeOutByteForByte() throws {
    let program = try Program()
    defer { program.remove() }
    let model = Shared.golden.appendingPathComponent("pipeline_text").path
    let run = try program.run(
      [
        "generate", "--model", model, "--prompt", "a (red:1.3) cat", "--negative=-dog", "--width",
      ]
        + ["40", "--height", "32", "--steps", "3", "--seed", "5", "--count", "2", "--clip-skip"]
        + ["2", "--out", "a%d.png"])
    #expect(run.code == 0, "\(run.errors)")
    let again = try program.run("reproduce a1.png --json")
    #expect(again.code == 0, "\(again.errors)")
    #expect(try same(program, "a1.png", "a1-again.png"))
    let json = try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any]
    #expect(json?["origin"] as? String == "diffusion")
    let text = try PNGFile(reading: program.file("a1.png").path).text["parameters"]
    #expect(text?.hasPrefix("a (red:1.3) cat\nNegative prompt: -dog\nSteps: 3, Sampler: ") == true)
    #expect(text?.contains("Seed: 6, Size: 40x32, Model: pipeline_text, Clip skip: 2") == true)
  }

  private static let pictures = Shared.golden.appendingPathComponent("pipeline_pictures").path

  /// A folder with the parts of several goldens.
  private func assembled(_ program: Program, _ parts: [String: String]) throws {
    for (part, place) in parts {
      let link = program.file("model/" + part)
      try FileManager.default.createDirectory(
        at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: link.path, withDestinationPath: Shared.golden.appendingPathComponent(place).path)
    }
  }

  /// What the other verbs draw, what adapters of folders and learned words change, and pictures that were decoded in tiles.
  @Test(arguments: [
    [
      "outpaint", "--left", "16", "--bottom", "8", "--fill", "noise", "--overlap", "4",
      "--strength", "0.9",
    ],
    ["interpolate", "--to-prompt", "a dog", "--to-seed", "9", "--at", "0.25"],
    ["generate", "--hires", "1.5", "--hires-strength", "0.6", "--hires-steps", "5"],
    ["generate", "--tile", "4", "--variation-seed", "7"],
    ["generate", "--lora-dir", "adapters", "--embedding-dir", "adapters"],
  ])
  func otherVerbsComeOutByteForByte(_ options: [String]) throws {
    let program = try Program()
    defer { program.remove() }
    try FileManager.default.createSymbolicLink(
      atPath: program.file("adapters").path,
      withDestinationPath: Shared.golden.appendingPathComponent("adapters").path)
    let model = Shared.golden.appendingPathComponent("pipeline_text").path
    var arguments = options + ["--model", model, "--steps", "3", "--seed", "5", "--out", "a.png"]
    if options[0] == "outpaint" {
      arguments += ["--init-image", Self.pictures + "/small.png"]
    } else {
      arguments += ["--width", "40", "--height", "32"]
    }
    let prompt = "a red fluffy cat"
    let tag = options.contains("--lora-dir") ? " <lora:kohya:0.7>" : ""
    let run = try program.run(arguments + ["--prompt", prompt + tag])
    #expect(run.code == 0, "\(run.errors)")
    let again = try program.run("reproduce --json a.png")
    #expect(again.code == 0, "\(again.errors)")
    #expect(try same(program, "a.png", "a-again.png"))
    // Without what is tested the picture is another one.
    if options.count > 2, options[0] == "generate" {
      let plain = try program.run(
        [
          "generate", "--model", model, "--steps", "3", "--seed", "5", "--width", "40", "--height",
          "32", "--prompt", prompt, "--out", "b.png",
        ])
      #expect(plain.code == 0, "\(plain.errors)")
      let (one, other) = try (
        Image(reading: program.file("a.png").path), Image(reading: program.file("b.png").path)
      )
      #expect(one != other)
    }
  }

  @Test func enlargedPicturesComeOutByteForByte() throws {
    let program = try Program()
    defer { program.remove() }
    let own = "pipeline_pictures/upscaler/"
    try assembled(
      program,
      [
        "unet": own + "unet", "vae/config.json": own + "vae/config.json",
        "scheduler": own + "scheduler",
        "vae/diffusion_pytorch_model.safetensors":
          "pipeline_pictures/vae/diffusion_pytorch_model.safetensors",
        "low_res_scheduler": own + "low_res_scheduler",
        "model_index.json": own + "model_index.json",
        "text_encoder": "pipeline_text/text_encoder", "tokenizer": "pipeline_text/tokenizer",
      ])
    let run = try program.run(
      [
        "upscale", "--model", "model", "--prompt", "a red cat", "--init-image",
        Self.pictures + "/tiny.png", "--steps", "3", "--seed", "5", "--noise-level", "30", "--out",
        "a.png",
      ])
    #expect(run.code == 0, "\(run.errors)")
    let again = try program.run("reproduce a.png")
    #expect(again.code == 0, "\(again.errors)")
    #expect(try same(program, "a.png", "a-again.png"))
  }

  /// `--json` before the picture is standard output; before another name it is that file.
  @Test func jsonMayStandBeforeThePicture() throws {
    let program = try Program()
    defer { program.remove() }
    let run = try program.run("generate --class 1 --seed 1 --steps 2 --json r.json --out a.png")
    #expect(run.code == 0 && run.output.isEmpty, "\(run.errors)")
    #expect(FileManager.default.fileExists(atPath: program.file("r.json").path))
    for (arguments, file) in [
      ("reproduce --json a.png", nil), ("reproduce --json o.json a.png", "o.json"),
      ("reproduce a.png --json p", "p"), ("reproduce a.png --json=q.json", "q.json"),
    ] {
      let again = try program.run(arguments)
      #expect(again.code == 0, "\(arguments): \(again.errors)")
      #expect(again.output.contains("\"origin\"") == (file == nil), "\(arguments)")
      if let file { #expect(FileManager.default.fileExists(atPath: program.file(file).path)) }
    }
  }

  /// Adapters that another tool's picture names by their names are found in the folder that is given.
  @Test func adaptersOfForeignPicturesAreFound() throws {
    let program = try Program()
    defer { program.remove() }
    let model = Shared.golden.appendingPathComponent("pipeline_text").path
    let adapters = Shared.golden.appendingPathComponent("adapters").path
    let image = Image(width: 1, height: 1, channels: 1, samples: [0])
    let text =
      "a red cat <lora:kohya:0.7>\nSteps: 3, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 40x32, "
      + "RNG: CPU, Version: v1.9"
    try image.writePNG(to: program.file("w.png").path, text: ["parameters": text])
    let found = try program.run(["reproduce", "w.png", "--model", model, "--lora-dir", adapters])
    #expect(found.code == 0 && !found.errors.contains("not honoured"), "\(found.errors)")
    let given = try program.run(
      ["reproduce", "w.png", "--model", model, "--lora", adapters + "/kohya.safetensors:0.7"]
        + ["--out", "b.png"])
    #expect(given.code == 0, "\(given.errors)")
    #expect(
      try Image(reading: program.file("w-again.png").path)
        == Image(reading: program.file("b.png").path))
    let without = try program.run(["reproduce", "w.png", "--model", model, "--out", "c.png"])
    #expect(without.code == 0 && without.errors.contains("not honoured: lora kohya:0.7"))
    let empty = try program.run(["reproduce", "w.png", "--model", model, "--lora-dir", "."])
    #expect(empty.code == 64 && empty.errors.contains("there is no kohya in ."), "\(empty.errors)")
  }

  private func same(_ program: Program, _ first: String, _ second: String) throws -> Bool {
    try Data(contentsOf: program.file(first)) == Data(contentsOf: program.file(second))
  }

  /// A foreign picture gives what the same options give, and says what it leaves out.
  @Test func foreignPicturesAreDrawnWithAGivenModel() throws {
    let program = try Program()
    defer { program.remove() }
    let model = Shared.golden.appendingPathComponent("pipeline_text").path
    let image = Image(width: 1, height: 1, channels: 1, samples: [0])
    let text =
      "a red cat\nNegative prompt: dog\nSteps: 4, Sampler: Euler, CFG scale: 5, Seed: 3, "
      + "Size: 40x32, Model: tiny, ENSD: 31337, RNG: CPU, Version: v1.9"
    try image.writePNG(to: program.file("w.png").path, text: ["parameters": text])
    let refused = try program.run("reproduce w.png")
    #expect(refused.code == 64 && refused.errorLines.last?.contains("--model") == true)
    let drawn = try program.run(["reproduce", "w.png", "--model", model, "--out", "b.png"])
    #expect(drawn.code == 0, "\(drawn.errors)")
    #expect(drawn.errorLines.contains("not honoured: ENSD 31337: this is not done here"))
    #expect(!drawn.errors.contains("not honoured: Model"))
    let options = ["--prompt", "a red cat", "--negative", "dog", "--steps", "4", "--sampler"]
    let run = try program.run(
      ["generate", "--model", model, "--out", "c.png"] + options
        + ["euler", "--schedule", "uniform", "--guidance", "5", "--seed", "3", "--width", "40"]
        + ["--height", "32", "--rng", "torch"])
    #expect(run.code == 0, "\(run.errors)")
    #expect(try same(program, "b.png", "c.png"))
  }

  @Test func aPictureWithoutARecipeIsRefused() throws {
    let program = try Program()
    defer { program.remove() }
    try Image(width: 1, height: 1, channels: 1, samples: [0])
      .writePNG(to: program.file("plain.png").path)
    let outcome = try program.run("reproduce plain.png")
    #expect(outcome.code == 1 && outcome.errors.contains("found none"), "\(outcome.errors)")
  }
}
