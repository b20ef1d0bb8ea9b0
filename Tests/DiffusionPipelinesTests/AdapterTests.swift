import Diffusion
import DiffusionImages
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// LoRA, textual inversion and weights of words against diffusers, peft and transformers; see make_adapters.py.
@Suite struct AdapterTests {
  static let folder = Shared.golden.appendingPathComponent("adapters").path

  static func expected(_ name: String) throws -> Tensor {
    try SafetensorsFile(path: folder + "/expected.safetensors").tensor(named: name)
  }

  static func file(_ name: String, _ weight: Double) -> LoRAFile {
    LoRAFile(path: "\(folder)/\(name).safetensors", weight: weight)
  }

  /// The U-Net's answer to the golden's latents, channels first.
  static func answer(_ model: LatentModel) throws -> Tensor {
    let x = try expected("x").permuted([0, 2, 3, 1])
    return model.unet(x, timesteps: [700, 30], text: try expected("states"))
      .permuted([0, 3, 1, 2])
  }

  /// One picture is off by no more than one of 255.
  static func expectPicture(
    _ model: LatentModel, _ name: String, prompt: String = "a red cat", steps: Int = 6,
    sampler: String? = nil, guidance: Double = 5
  ) async throws {
    var request = try LatentPipelineTests.request(model)
    (request.prompt, request.pictures.classes) = (prompt, [nil])
    (request.pictures.steps, request.pictures.guidance) = (steps, guidance)
    if let sampler {
      (request.pictures.sampler, request.pictures.options) = (sampler, SolverOptions())
    }
    let pictures = try await LatentPipelineTests.draw(LatentPipeline(model: model), request)
    let found = pictures.flatMap(\.samples).map(Double.init)
    let golden = try expected("picture_" + name).doubles
    #expect(found.count == golden.count)
    let worst = zip(found, golden).map { abs($0 - ($1 * 255).rounded()) }.max() ?? .infinity
    #expect(worst <= 1, "\(name): off by \(worst) of 255")
  }

  @Test func withoutAdaptersTheAnswerIsTheModels() throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim").applying([])
    expectClose(try Self.answer(model), try Self.expected("unet_plain"), tolerance: 1e-4)
  }

  /// The same numbers under the ways of naming them.
  @Test(arguments: ["kohya", "compvis", "diffusers", "peft/adapter_model"])
  func changesAreThoseOfPeft(_ name: String) throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let plain = try Self.answer(model)
    let changed = try Self.answer(model.applying([Self.file(name, 0.7)]))
    expectClose(changed, try Self.expected("unet_lora"), tolerance: 1e-4, "\(name)")
    let moved = zip(changed.doubles, plain.doubles).map { abs($0 - $1) }.max() ?? 0
    #expect(moved > 0.1)
  }

  /// Weights in half precision stay so where that is asked for, within its rounding.
  @Test func sumsMayKeepHalfPrecision() throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let changed = try model.applying([Self.file("kohya", 0.7)], keepsTypes: true)
    let types = zip(model.unet.parameters(), changed.unet.parameters()).map {
      $0.tensor.dtype == $1.tensor.dtype
    }
    #expect(types.allSatisfy { $0 })
    expectClose(try Self.answer(changed), try Self.expected("unet_lora"), tolerance: 0.01)
  }

  /// Names of attention processors alone and no alpha, which is then the rank: 2, where the other files have 3.
  @Test func withoutAlphaTheRankCounts() throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let found = try model.applying([Self.file("processors", 1.5)]).unet.parameters()
    let expected = try model.applying([Self.file("kohya", 1)]).unet.parameters()
    for ((name, a), (_, b)) in zip(found, expected) where name.contains(".attn2.to_q.") {
      expectClose(a, b, tolerance: 1e-6, "\(name)")
    }
  }

  /// A LoRA to be taken away and a LoCon with a middle.
  @Test func severalAdd() throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let files = [Self.file("kohya", -0.5), Self.file("locon", 1.2)]
    let answer = try Self.answer(model.applying(files))
    expectClose(answer, try Self.expected("unet_two"), tolerance: 1e-4)
  }

  @Test(arguments: ["kohya", "diffusers"])
  func picturesAreThoseOfPeft(_ name: String) async throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    try await Self.expectPicture(model.applying([Self.file(name, 0.7)]), "lora")
  }

  /// A word of two vectors by its file's name, another as its file has it.
  @Test func learnedWordsAreThoseOfDiffusers() async throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim").addingWords(
      from: ["\(Self.folder)/fluffy.pt", "\(Self.folder)/learned_embeds.safetensors"])
    try await Self.expectPicture(model, "inversion", prompt: "a fluffy cat and <toy>")
    try await Self.expectPicture(model, "inversion", prompt: "a fluff cat and learned_embeds")
    // The first files have a module of PyTorch's around the vectors.
    let first = try LatentPipelineTests.model(scheduler: "ddim").addingWords(
      from: ["\(Self.folder)/module.pt", "\(Self.folder)/learned_embeds.safetensors"])
    try await Self.expectPicture(first, "inversion", prompt: "a module cat and <toy>")
  }

  /// A network that is told of guidance, over the timesteps that it was distilled on.
  @Test func latentConsistencyModelsAreThoseOfDiffusers() async throws {
    let plain = try LatentPipelineTests.model(scheduler: "ddim")
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/lcm_unet/config.json"))
    var unset = ParameterInitializer.unset
    var unet = ConditionalUNet(
      try JSONDecoder().decode(ConditionalUNetConfiguration.self, from: data), initializer: &unset)
    try unet.load(
      from: try SafetensorsFile(
        path: "\(Self.folder)/lcm_unet/diffusion_pytorch_model.safetensors"))
    let model = LatentModel(
      unet: unet, autoencoder: plain.autoencoder, texts: plain.texts,
      process: try ProcessConfiguration(json: Data(#"{"_class_name": "LCMScheduler"}"#.utf8)))
    try await Self.expectPicture(model, "lcm", steps: 4, guidance: 8.5)
  }

  /// As with LCM-LoRA: an ordinary network, guided, on the timesteps of distilled ones, whatever scheduler it came with.
  @Test(arguments: ["ddim", "euler", "unipc"])
  func ordinaryModelsGoByConsistencyFunctionsToo(_ scheduler: String) async throws {
    let model = try LatentPipelineTests.model(scheduler: scheduler)
    try await Self.expectPicture(
      model, "lcm_guided", steps: 4, sampler: "lcm", guidance: 1.8)
  }

  @Test func weightsOfWordsMultiplyTheirStates() async throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    try await Self.expectPicture(model, "weights", prompt: "a (red:1.6) (cat:0.5)")
  }
}

/// Files that are not understood.
@Suite struct AdapterRefusalTests {
  private func written(_ tensors: [String: [Int]]) throws -> String {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent(UUID().uuidString + ".safetensors").path
    var writer = CheckpointWriter()
    for (name, shape) in tensors.sorted(by: { $0.key < $1.key }) {
      writer.add(name, .zeros(shape))
    }
    try writer.write(to: path)
    return path
  }

  private static let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_q"

  @Test(arguments: [
    (["lora_unet_nothing.lora_down.weight": [2, 16]], "unexpected \"lora_unet_nothing.lora_down"),
    (["\(layer).oft_blocks": [4, 4, 4]], "unexpected \"\(layer).oft_blocks\""),
    (["\(layer).lora_down.weight": [2, 16]], "missing \"the up half for down_blocks.0.attentions"),
    (
      ["\(layer).lora_down.weight": [2, 24], "\(layer).lora_up.weight": [16, 2]],
      "lora_down.weight\": expected shape [2, 16], found [2, 24]"
    ),
  ])
  func adaptersOfOtherModelsAreRefused(_ tensors: [String: [Int]], _ text: String) throws {
    let path = try written(tensors)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let error = try #require(throws: PipelineError.self) {
      try model.applying([LoRAFile(path: path)])
    }
    #expect(error.description.contains(text), "\(error)")
  }

  @Test(arguments: [
    (["clip_l": [2, 768]], "expected vectors of widths [24]"),
    (["a": [24], "b": [24]], "found a, b"),
    (["a": [1, 2, 24]], "expected the vectors of one word"),
  ])
  func wordsOfOtherModelsAreRefused(_ tensors: [String: [Int]], _ text: String) throws {
    let path = try written(tensors)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let error = try #require(throws: PipelineError.self) {
      try model.addingWords(from: [path])
    }
    #expect(error.description.contains(text), "\(error)")
    #expect(throws: PipelineError.self) {
      let word = AdapterTests.folder + "/fluffy.pt"
      _ = try model.addingWords(from: [word, word])
    }
  }

  @Test(arguments: [
    ("a.safetensors", "a.safetensors", 1), ("a.safetensors:0.8", "a.safetensors", 0.8),
    ("C:a.pt", "C:a.pt", 1), ("b:-0.5", "b", -0.5),
    ("b:0.5:0.25", "b", 0.25),
  ])
  func filesHaveWeights(_ text: String, _ path: String, _ weight: Double) {
    let ofTexts = text == "b:0.5:0.25" ? 0.5 : nil
    #expect(
      LoRAFile(parsing: text) == LoRAFile(path: path, weight: weight, textWeight: ofTexts))
  }
}
