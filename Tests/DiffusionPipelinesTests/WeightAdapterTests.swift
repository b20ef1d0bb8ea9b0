import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// LoHa, LoKr and DoRA against the weights that peft merges in float64; see make_weight_adapters.py.
@Suite struct WeightAdapterTests {
  static let folder = Shared.golden.appendingPathComponent("weight_adapters").path

  private func weights(_ model: LatentModel) throws -> SafetensorsFile {
    let folder = try TemporaryFolder()
    var writer = CheckpointWriter()
    model.unet.save(to: &writer)
    try writer.write(to: folder.path + "/unet.safetensors")
    return try SafetensorsFile(path: folder.path + "/unet.safetensors")
  }

  /// A weight is a sum of a few float32 products of numbers near 1: 16 roundings of 2^-24 of the largest.
  @Test(arguments: [
    "loha", "loha-flat", "lokr", "lokr-flat", "lokr-unscaled", "dora", "loha/adapter_model",
    "loha-flat/adapter_model", "lokr/adapter_model", "lokr-flat/adapter_model",
    "lokr-whole/adapter_model", "dora/adapter_model", "columns",
  ])
  func mergedWeightsAreThoseOfPeft(_ name: String) throws {
    let plain = try LatentPipelineTests.model(scheduler: "ddim")
    let path = "\(Self.folder)/\(name).safetensors"
    let changed = try weights(plain.applying([LoRAFile(path: path, weight: 0.7)]))
    let before = try weights(plain)
    let kind = String(name.prefix { $0 != "/" })
    let golden = try SafetensorsFile(path: "\(Self.folder)/expected.safetensors")
    var adapted: Set<String> = []
    for entry in golden.entries where entry.name.hasPrefix(kind + ".") {
      let weight = entry.name.dropFirst(kind.count + 1) + ".weight"
      adapted.insert(String(weight))
      expectClose(
        try changed.tensor(named: String(weight)), try golden.tensor(named: entry.name),
        tolerance: 1e-6, "\(weight)")
    }
    #expect(adapted.count == 4)
    for entry in before.entries where !adapted.contains(entry.name) {
      expectSame(
        try changed.tensor(named: entry.name).doubles,
        try before.tensor(named: entry.name).doubles, entry.name)
    }
  }

  /// Two adapters change the weights as they were, in either order.
  @Test func ordersDoNotMatter() throws {
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let files = ["dora", "loha"].map {
      LoRAFile(path: "\(Self.folder)/\($0).safetensors", weight: 0.5)
    }
    let one = try weights(model.applying(files))
    let other = try weights(model.applying(files.reversed()))
    for entry in one.entries {
      expectClose(
        try one.tensor(named: entry.name), try other.tensor(named: entry.name), tolerance: 1e-6)
    }
  }

  private static let linear =
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
  private static let kernel = "lora_unet_down_blocks_0_downsamplers_0_conv"

  /// `attn2.to_k` is 16 by 24, the convolution 16 by 16 by 3 by 3.
  @Test(arguments: [
    (
      ["\(linear).lokr_w1": [3, 4], "\(linear).lokr_w2": [2, 6]],
      "lokr_w1\": expected shape [1, 4], found [3, 4]"
    ),
    (
      ["\(linear).lokr_w1": [2, 4], "\(linear).lokr_w2": [4, 5]],
      "lokr_w2\": expected shape [8, 6], found [4, 5]"
    ),
    (["\(linear).lokr_w1": [2, 4]], "missing \"lokr_w2 for down_blocks.0.attentions"),
    (
      [
        "\(kernel).hada_w1_a": [2, 16], "\(kernel).hada_w1_b": [2, 16],
        "\(kernel).hada_t1": [2, 2, 3, 3],
        "\(kernel).hada_w2_a": [2, 16], "\(kernel).hada_w2_b": [2, 16],
      ], "missing \"hada_t2 for down_blocks.0.downsamplers.0.conv"
    ),
    (
      [
        "\(linear).lora_down.weight": [2, 24], "\(linear).lora_up.weight": [16, 2],
        "\(linear).dora_scale": [7, 1],
      ], "dora_scale\": expected shape [16], found [7, 1]"
    ),
  ])
  func partsThatDoNotFitAreRefused(_ tensors: [String: [Int]], _ text: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.safetensors"
    var writer = CheckpointWriter()
    for (name, shape) in tensors { writer.add(name, .zeros(shape)) }
    try writer.write(to: path)
    let model = try LatentPipelineTests.model(scheduler: "ddim")
    let error = try #require(throws: PipelineError.self) {
      try model.applying([LoRAFile(path: path)])
    }
    #expect(error.description.contains(text), "\(error)")
  }
}
