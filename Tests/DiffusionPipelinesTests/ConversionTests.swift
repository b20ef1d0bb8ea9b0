import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// Models written in another layout: read again they draw the same, and back they are the same bytes.
@Suite struct ConversionTests {
  static func parts(_ path: String) throws -> LatentParts {
    var notes: [String] = []
    return try LatentParts(path: path, notes: &notes)
  }

  static func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// One file to a folder, to GGUF, and back to one file.
  @Test(arguments: ["sd1", "sd2", "sdxl"])
  func roundTrips(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let (file, parts) = (folder.path + "/a.safetensors", folder.path + "/parts")
    let (gguf, back) = (folder.path + "/b.gguf", folder.path + "/c.safetensors")
    try SingleFileGolden.write(name, to: file)
    try Self.parts(file).write(to: parts, layout: .diffusers)
    try Self.parts(parts).write(to: gguf, layout: .gguf)
    try Self.parts(gguf).write(to: back, layout: .single)
    #expect(try Self.bytes(back) == Self.bytes(file))
    for path in [parts, gguf] {
      let drawn = try await SingleFileTests.draw(try SingleFileTests.model(path))
      #expect(try SingleFileTests.worst(drawn, name) <= 1, "\(path)")
    }
  }

  /// A folder's files come back as they were, where transformers' names have their prefix.
  @Test func folderRoundTrips() throws {
    let folder = try TemporaryFolder()
    let (file, first) = (folder.path + "/a.safetensors", folder.path + "/first")
    let (single, second) = (folder.path + "/b.safetensors", folder.path + "/second")
    try SingleFileGolden.write("sdxl", to: file)
    try Self.parts(file).write(to: first, layout: .diffusers, precision: .f16)
    try Self.parts(first).write(to: single, layout: .single)
    try Self.parts(single).write(to: second, layout: .diffusers)
    let files = [
      "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model",
      "text_encoder_2/model",
    ]
    for name in files {
      let path = "\(name).safetensors"
      #expect(try Self.bytes("\(first)/\(path)") == Self.bytes("\(second)/\(path)"), "\(name)")
    }
    let error = try #require(throws: PipelineError.self) {
      try Self.parts(single).write(to: second, layout: .diffusers)
    }
    #expect(error.description.contains("is there already"), "\(error)")
  }

  /// Structures that shapes do not tell are kept beside the tensors; a foreign vocabulary cannot be.
  @Test func structuresAreKept() throws {
    let folder = try TemporaryFolder()
    let golden = LatentPipelineTests.folder
    let error = try #require(throws: PipelineError.self) {
      try Self.parts(golden).write(to: folder.path + "/a.safetensors", layout: .single)
    }
    #expect(error.description.contains("tokenizer"), "\(error)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/a.safetensors"))
    var parts = try Self.parts(golden)
    parts.texts[0].tokenizer = .embedded(padID: nil)
    try parts.write(to: folder.path + "/a.safetensors", layout: .single)
    let read = try Self.parts(folder.path + "/a.safetensors")
    #expect(read.unet.configuration == parts.unet.configuration)
    #expect(read.autoencoder.configuration == parts.autoencoder.configuration)
    #expect(read.texts[0].part.configuration == parts.texts[0].part.configuration)
    #expect(read.process == parts.process)
  }

  /// Matrices become blocks of eight bits as ggml makes them; convolutions and tables half precision.
  @Test func quantises() async throws {
    let folder = try TemporaryFolder()
    let (file, gguf) = (folder.path + "/a.safetensors", folder.path + "/b.gguf")
    try SingleFileGolden.write("sd1", to: file)
    try Self.parts(file).write(to: gguf, layout: .gguf, precision: .q8_0)
    let source = try openCheckpoint(path: gguf)
    let key = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_k.weight"
    #expect(source.entry(named: key)?.type == .q8_0)
    #expect(
      source.entry(named: "model.diffusion_model.input_blocks.0.0.weight")?.type == .float16)
    #expect(source.entry(named: "model.diffusion_model.out.0.weight")?.type == .float32)
    let plain = try openCheckpoint(path: file).tensor(named: key).doubles
    let rounded = try source.tensor(named: key).doubles
    let largest = plain.map(abs).max() ?? 0
    // Half a step of the largest block, and the scale's rounding to half.
    let bound = largest / 127 * 0.5 + largest * 0x1p-11
    for (a, b) in zip(plain, rounded) { #expect(abs(a - b) <= bound) }
    #expect(throws: PipelineError.self) {
      try Self.parts(gguf).write(to: folder.path + "/c.safetensors", layout: .single)
    }
    try Self.parts(gguf).write(
      to: folder.path + "/c.safetensors", layout: .single, precision: .f16)
  }

  /// Weights read at each use, tiles and half precision draw what weights in memory draw.
  @Test func streamedWeightsDrawTheSame() async throws {
    let folder = try TemporaryFolder()
    for (precision, layout) in [
      (nil, ModelLayout.single), (StoredPrecision.f16, .single), (.q8_0, .gguf),
    ] {
      let (file, path) = (folder.path + "/a.safetensors", folder.path + "/b")
      try SingleFileGolden.write("sd1", to: file)
      try Self.parts(file).write(to: path, layout: layout, precision: precision)
      let parts = try Self.parts(path)
      let kept = try await SingleFileTests.draw(LatentModel(parts, path: path))
      let streamed = try LatentModel(parts, memory: .init(weights: .streamed), path: path)
      #expect(try await SingleFileTests.draw(streamed) == kept)
      // Quantised weights are rounded to half precision, so that only the others are exact.
      if precision == .q8_0 { continue }
      let widened = try LatentModel(parts, memory: .init(weights: .widened), path: path)
      #expect(try await SingleFileTests.draw(widened) == kept, "\(String(describing: precision))")
    }
  }

  /// A plan is finite, grows with the picture, and shrinks with a limit.
  @Test func planFollowsTheLimit() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/a.safetensors"
    try SingleFileGolden.write("sd1", to: file)
    let parts = try Self.parts(file)
    let small = MemoryPlan(parts, drawing: .init(width: 64, height: 64))
    let large = MemoryPlan(parts, drawing: .init(width: 1024, height: 1024))
    #expect(small.peak < large.peak && small.weights == large.weights)
    let fitted = try MemoryPlan.fitting(
      large.peak, parts, drawing: .init(width: 1024, height: 1024))
    #expect(fitted.measures == large.measures)
    let tiled = MemoryPlan(
      parts, drawing: .init(width: 1024, height: 1024),
      measures: .init(tiling: AutoencoderTiling(latentSide: 16)))
    #expect(tiled.decoding < large.decoding && tiled.peak <= large.peak)
    let error = try #require(throws: PipelineError.self) {
      try MemoryPlan.fitting(1 << 20, parts, drawing: .init(width: 1024, height: 1024))
    }
    #expect(error.description.hasPrefix("max-memory: expected"), "\(error)")
    #expect(ProcessMemory.bytes("2G") == 2 << 30 && ProcessMemory.bytes("1.5gb") == 3 << 29)
    #expect(ProcessMemory.bytes("much") == nil && ProcessMemory.bytes("-1") == nil)
  }

  /// A plan counts a second pass, a picture that is encoded, guidance and weights that are changed.
  @Test func planCountsWhatIsAsked() throws {
    let folder = try TemporaryFolder()
    let (file, half) = (folder.path + "/a.safetensors", folder.path + "/half.safetensors")
    try SingleFileGolden.write("sd1", to: file)
    try Self.parts(file).write(to: half, layout: .single, precision: .f16)
    let parts = try Self.parts(half)
    func plan(_ change: (inout MemoryPlan.Pictures) -> Void = { _ in }) -> MemoryPlan {
      var pictures = MemoryPlan.Pictures(width: 256, height: 256)
      change(&pictures)
      return MemoryPlan(parts, drawing: pictures)
    }
    let plain = plan()
    #expect(plain.encoding == 0 && plan { $0.isFromPicture = true }.encoding > 0)
    #expect(plan { $0.isGuided = false }.denoising < plain.denoising)
    let (enlarged, large) = (
      plan { $0.enlargement = 2 }, plan { ($0.width, $0.height) = (512, 512) }
    )
    #expect(enlarged == large && enlarged.decoding > plain.decoding)
    #expect(plan { $0.batch = 2 }.denoising > plain.denoising)

    let name = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    let shape = try #require(parts.unet.tensors.first { $0.name == name }?.shape)
    let changed = MemoryPlan(
      parts, drawing: .init(width: 256, height: 256), changes: .init(weights: [.unet: [name]]))
    #expect(changed.weights - plain.weights == 4 * shape.reduce(1, *))
  }
}
