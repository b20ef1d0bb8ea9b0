import Diffusion
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Models in one file with the original names, against diffusers' pictures; see make_single_file.py.
@Suite struct SingleFileTests {
  static func draw(
    _ model: LatentModel, from input: PictureInput? = nil
  ) async throws -> [Image] {
    let request = TextRequest(
      prompt: "a red cat", negative: "dog", height: input == nil ? 32 : nil,
      width: input == nil ? 40 : nil,
      pictures: ImageRequest(
        classes: [nil], steps: 6, sampler: try #require(model.process.solverName),
        options: model.process.solverOptions, guidance: 5, seed: 3, batchSize: 1))
    return try await LatentPipelineTests.draw(LatentPipeline(model: model), request, from: input)
  }

  /// The largest difference from diffusers' picture, of 255.
  static func worst(_ pictures: [Image], _ golden: String) throws -> Double {
    let file = try SafetensorsFile(
      path: SingleFileGolden.folder.appendingPathComponent("pictures.safetensors").path)
    let expected = try file.tensor(named: golden).doubles
    let found = pictures.flatMap(\.samples).map(Double.init)
    #expect(found.count == expected.count)
    return zip(found, expected).map { abs($0 - ($1 * 255).rounded()) }.max() ?? .infinity
  }

  static func model(_ path: String, _ options: LatentParts.Options = .init()) throws -> LatentModel
  {
    var notes: [String] = []
    return try LatentModel(path: path, options: options, notes: &notes)
  }

  /// No pixel is off by more than one of 255; what the file does not say is noted.
  @Test(arguments: ["sd1", "sd2"])
  func picturesAgree(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try SingleFileGolden.write(name, to: path)
    var notes: [String] = []
    let model = try LatentModel(path: path, notes: &notes)
    let worst = try Self.worst(try await Self.draw(model), name)
    #expect(worst <= 1, "off by \(worst) of 255")
    #expect(notes.count == (name == "sd2" ? 1 : 0), "\(notes)")
    #expect(model.process.parameterization == (name == "sd2" ? .velocity : .epsilon))
  }

  /// SDXL with both text encoders, base sizes.
  @Test func largeModelAgrees() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try SingleFileGolden.write("sdxl", to: path)
    let model = try Self.model(path)
    #expect(model.texts.count == 2 && model.takesSizes)
    #expect(model.autoencoder.configuration.scalingFactor == 0.13025)
    let worst = try Self.worst(try await Self.draw(model), "sdxl")
    #expect(worst <= 1, "off by \(worst) of 255")
  }

  /// Models that draw from a picture: nine channels, a refiner, one that enlarges.
  @Test(arguments: ["inpainting", "refiner", "upscaler"])
  func picturesFromPicturesAgree(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try SingleFileGolden.write(name, to: path)
    let mask = PaintMask(try AssembledModel.image("small-mask"), keepsOriginal: false)
    let input = PictureInput(
      try AssembledModel.image("small"), strength: name == "refiner" ? 0.7 : 1,
      mask: name == "inpainting" ? mask : nil)
    let found = try await Self.draw(try Self.model(path), from: input)
    let worst = try Self.worst(found, name)
    #expect(worst <= 1, "off by \(worst) of 255")
  }

  /// What a training run saves: `state_dict` and what PyTorch Lightning puts beside it.
  @Test func trainingCheckpointAgrees() async throws {
    let path = SingleFileGolden.folder.appendingPathComponent("lightning.ckpt").path
    #expect(try LatentModel.isLatentModel(path))
    let worst = try Self.worst(try await Self.draw(try Self.model(path)), "lightning")
    #expect(worst <= 1, "off by \(worst) of 255")
  }

  /// What is beside the parts is said and left aside; what is within them and unknown is an error.
  @Test func otherTensorsAreSaid() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    let one = Tensor([1.0], shape: [1])
    try SingleFileGolden.write(
      "sd1", to: path,
      adding: [
        ("model_ema.diffusion_modelinput_blocks00bias", one), ("alphas_cumprod", one),
        ("cond_stage_model.transformer.text_model.embeddings.position_ids", one),
        ("first_stage_model.loss.logvar", one), ("control_model.x", one),
      ])
    var notes: [String] = []
    _ = try LatentModel(path: path, notes: &notes)
    let expected = [
      "the averaged copy of the U-Net", "the tables of the schedule", "numbers of the text encoder",
      "the autoencoder's loss", "other tensors",
    ]
    for text in expected { #expect(notes.contains { $0.contains(text) }, "\(text): \(notes)") }
    try SingleFileGolden.write(
      "sd1", to: path, adding: [("model.diffusion_model.input_blocks.9.0.op.bias", one)])
    let error = try #require(throws: PipelineError.self) { try Self.model(path) }
    #expect(error.description.contains("unexpected"), "\(error)")
  }

  /// The velocity is told by the checkpoint's step, or by the caller.
  @Test func predictionIsTold() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try SingleFileGolden.write("sd2", to: path)
    #expect(
      try Self.model(path, .init(parameterization: .epsilon)).process.parameterization == .epsilon)
  }

  /// A cache folder leads to the snapshot that its main branch names.
  @Test func cacheFolderIsFollowed() async throws {
    let folder = try TemporaryFolder()
    let cache = folder.path + "/models--a--b"
    for hash in ["old", "new"] {
      try folder.file("models--a--b/snapshots/\(hash)/note.txt", hash)
    }
    try folder.file("models--a--b/refs/main", "new\n")
    try SingleFileGolden.write("sd1", to: cache + "/snapshots/new/model.safetensors")
    #expect(try LatentModel.isLatentModel(cache))
    let worst = try Self.worst(try await Self.draw(try Self.model(cache)), "sd1")
    #expect(worst <= 1, "off by \(worst) of 255")
    #expect(try !LatentModel.isLatentModel(cache + "/snapshots/old"))
    try folder.file("models--a--b/refs/main", "gone")
    let error = try #require(throws: PipelineError.self) { try LatentModel.isLatentModel(cache) }
    #expect(error.description.contains("snapshots new, old, found gone"), "\(error)")
  }

  @Test func whatIsMissingOrDamagedIsSaid() throws {
    let folder = try TemporaryFolder()
    try folder.file("cut.safetensors", "half a header")
    for (path, words) in [
      ("/nowhere", "/nowhere: no such file or folder"),
      (folder.path + "/cut.safetensors", "cut.safetensors: not a whole safetensors file"),
    ] {
      let error = #expect(throws: PipelineError.self) { try LatentModel.isLatentModel(path) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }

  /// An autoencoder and a text encoder of their own files, under diffusers' and under original names.
  @Test func partsOfOwnFiles() async throws {
    let folder = try TemporaryFolder()
    let (path, bare) = (folder.path + "/model.safetensors", folder.path + "/unet.safetensors")
    try SingleFileGolden.write("sd1", to: path)
    let all = try SingleFileGolden.tensors("sd1")
    func write(_ prefix: String, _ target: String, removing: String) throws {
      var writer = CheckpointWriter()
      for (name, tensor) in all where name.hasPrefix(prefix) {
        writer.add(String(name.dropFirst(removing.count)), tensor)
      }
      try writer.write(to: target)
    }
    let (vae, text) = (folder.path + "/vae.safetensors", folder.path + "/text.safetensors")
    try write("model.diffusion_model.", bare, removing: "")
    try write("first_stage_model.", vae, removing: "first_stage_model.")
    try write("cond_stage_model.", text, removing: "cond_stage_model.transformer.")
    let error = try #require(throws: PipelineError.self) { try Self.model(bare) }
    #expect(error.description.contains("--vae"), "\(error)")
    let options = LatentParts.Options(autoencoder: vae, textEncoders: [text])
    let worst = try Self.worst(try await Self.draw(try Self.model(bare, options)), "sd1")
    #expect(worst <= 1, "off by \(worst) of 255")
  }
}
