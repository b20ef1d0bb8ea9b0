import DiffusionModels
import Foundation
import TensorLayers
import TestSupport
import Testing

@Suite struct UNetConfigurationTests {
  private func read(_ json: String) throws -> (UNetConfiguration, unknown: [String]) {
    var unknown: [String] = []
    let configuration = try UNetConfiguration(json: Data(json.utf8), unknownKeys: &unknown)
    return (configuration, unknown)
  }

  private func problem(_ json: String) -> String {
    do {
      _ = try read(json)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func missingKeysTakeTheReferencesDefaults() throws {
    let (configuration, unknown) = try read("{}")
    #expect(configuration == UNetConfiguration())
    #expect(unknown.isEmpty)
    #expect(configuration.blockOutChannels == [224, 448, 672, 896])
    #expect(configuration.timeEmbeddingWidth == 896)
  }

  @Test func unknownKeysAreReportedAndBookkeepingIsNot() throws {
    let (_, unknown) = try read(
      #"{"_class_name": "UNet2DModel", "_diffusers_version": "0.1", "zeal": 1, "act_fun": "silu"}"#)
    #expect(unknown == ["act_fun", "zeal"])
  }

  @Test func nullIsNotTheDefault() throws {
    let (configuration, _) = try read(
      #"{"attention_head_dim": null, "mid_block_type": null, "sample_size": [16, 8]}"#)
    #expect(configuration.attentionHeadDim == nil)
    #expect(configuration.midBlockType == nil)
    #expect(configuration.sampleSize == [16, 8])
    #expect(try read(#"{"sample_size": 28}"#).0.sampleSize == [28])
  }

  @Test func oldBlockNamesAreRead() throws {
    let (configuration, _) = try read(
      """
      {"down_block_types": ["UNetResDownBlock2D", "UNetResAttnDownBlock2D"],
       "up_block_types": ["UNetResAttnUpBlock2D", "UNetResUpBlock2D"],
       "block_out_channels": [32, 64]}
      """)
    #expect(configuration.downBlockTypes == [.plain, .attention])
    #expect(configuration.upBlockTypes == [.attention, .plain])
  }

  @Test(arguments: [
    ("[]", "model configuration: it is no JSON object; give diffusers' config.json"),
    (
      #"{"down_block_types": ["CrossAttnDownBlock2D"]}"#,
      "model configuration: down_block_types[0]: CrossAttnDownBlock2D is not supported; known are "
        + "DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D, SkipDownBlock2D, "
        + "AttnSkipDownBlock2D"
    ),
    (
      #"{"down_block_types": ["DownBlock2D", "SkipDownBlock2D", "DownBlock2D", "DownBlock2D"]}"#,
      "model configuration: down_block_types: blocks with Skip in their name come first"
    ),
    (
      #"{"up_block_types": ["SkipUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"]}"#,
      "model configuration: up_block_types: blocks with Skip in their name come last"
    ),
    (
      #"{"block_out_channels": [96, 72], "norm_num_groups": null, "#
        + #""up_block_types": ["UpBlock2D", "UpBlock2D"], "#
        + #""down_block_types": ["AttnSkipDownBlock2D", "AttnSkipDownBlock2D"]}"#,
      "model configuration: block_out_channels: 72 channels do not divide into groups 32"
    ),
    (
      #"{"up_block_types": ["UpBlock2D"]}"#,
      "model configuration: up_block_types: 1 blocks for 4 levels of block_out_channels: "
        + "one for each"
    ),
    (
      #"{"norm_num_groups": 5}"#,
      "model configuration: block_out_channels: 224 channels do not divide into norm_num_groups 5"
    ),
    (
      #"{"time_embedding_type": "learned"}"#,
      "model configuration: num_train_timesteps: a learned time embedding needs the number of "
        + "timesteps"
    ),
    (
      #"{"dropout": 1}"#,
      "model configuration: dropout: a share from 0 to below 1, found 1.0"
    ),
  ])
  func faultsNameTheKey(_ json: String, _ message: String) {
    #expect(problem(json) == message)
  }

  @Test func wrongTypesNameTheKey() {
    #expect(problem(#"{"in_channels": "three"}"#).contains("in_channels"))
    #expect(problem(#"{"act_fn": "tanh"}"#).contains("act_fn"))
  }

  @Test(arguments: UNetGoldenTests.names) func encodingRoundTrips(_ name: String) throws {
    let file = Shared.golden.appendingPathComponent("unet_\(name)/config.json")
    var unknown: [String] = []
    let configuration = try UNetConfiguration(
      json: Data(contentsOf: file), unknownKeys: &unknown)
    let again = try JSONDecoder().decode(
      UNetConfiguration.self, from: JSONEncoder().encode(configuration))
    #expect(again == configuration)
  }
}
