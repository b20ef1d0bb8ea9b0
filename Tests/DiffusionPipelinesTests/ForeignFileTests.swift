import Diffusion
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// What single files of other programs are taken for.
@Suite struct ForeignFileTests {
  /// The `scheduler_config.json` of the folders that diffusers' `from_single_file` takes what is not in the file from
  /// (`DIFFUSERS_DEFAULT_PIPELINE_PATHS` in loaders/single_file_utils.py, 0.42: stable-diffusion-v1-5,
  /// stable-diffusion-2-1, stable-diffusion-xl-base-1.0), without the keys that have their class's defaults.
  private static let schedulers = [
    "sd1": """
    {"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1}
    """,
    "sd2": """
    {"_class_name": "DDIMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "clip_sample": false, "num_train_timesteps": 1000, "prediction_type": "v_prediction", "set_alpha_to_one": false,
    "steps_offset": 1}
    """,
    "sdxl": """
    {"_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "num_train_timesteps": 1000, "prediction_type": "epsilon", "steps_offset": 1,
    "timestep_spacing": "leading"}
    """,
  ]

  @Test(arguments: ["sd1", "sd2", "sdxl"])
  func schedulersAreThoseOfDiffusers(_ name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try SingleFileGolden.write(name, to: path)
    var notes: [String] = []
    let process = try LatentParts(path: path, notes: &notes).process
    let json = try #require(Self.schedulers[name])
    let expected = try ProcessConfiguration(json: Data(json.utf8))
    #expect(process == expected, "\(process) \(expected)")
  }

  /// A Stable Diffusion 2 of 875,000 steps answers with the noise.
  @Test func predictionGoesByTheStep() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    var writer = CheckpointWriter(metadata: ["global_step": "875000"])
    for (name, tensor) in try SingleFileGolden.tensors("sd2") { writer.add(name, tensor) }
    try writer.write(to: path)
    var notes: [String] = []
    #expect(try LatentParts(path: path, notes: &notes).process.parameterization == .epsilon)
  }

  // MARK: - stable-diffusion.cpp

  /// A name as `convert --convert-name` of stable-diffusion.cpp has it (src/name_conversion.cpp, August 2026): OpenCLIP's
  /// become transformers', with queries, keys and values in one matrix and the projection as it was.
  private static func renamed(_ name: String) -> String {
    var name = name
    for (old, new) in [
      ("conditioner.embedders.0.", "cond_stage_model."),
      ("conditioner.embedders.1.", "cond_stage_model.1."),
    ] where name.hasPrefix(old) { name = new + name.dropFirst(old.count) }
    guard
      let prefix = ["cond_stage_model.1.model.", "cond_stage_model.model."]
        .first(where: name.hasPrefix)
    else { return name }
    let target = String(prefix.dropLast("model.".count)) + "transformer.text_model."
    let rest = String(name.dropFirst(prefix.count))
    let whole = [
      "ln_final.bias": "final_layer_norm.bias", "ln_final.weight": "final_layer_norm.weight",
      "positional_embedding": "embeddings.position_embedding.weight",
      "token_embedding.weight": "embeddings.token_embedding.weight",
    ]
    if let known = whole[rest] { return target + known }
    var layer = rest.replacing("transformer.resblocks.", with: "encoder.layers.")
    for (old, new) in [
      ("attn.in_proj_", "self_attn.in_proj."), ("attn.out_proj", "self_attn.out_proj"),
      ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("mlp.c_fc", "mlp.fc1"),
      ("mlp.c_proj", "mlp.fc2"),
    ] { layer = layer.replacing(old, with: new) }
    return target + layer
  }

  @Test(arguments: ["sd2", "sdxl"])
  func renamedTextEncodersDrawTheSame(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    var writer = CheckpointWriter(metadata: ["format": "pt"])
    var names: [String] = []
    for (name, tensor) in try SingleFileGolden.tensors(name) {
      names.append(Self.renamed(name))
      writer.add(Self.renamed(name), tensor)
    }
    let layer = "transformer.text_model.encoder.layers.0.self_attn.in_proj.weight"
    #expect(names.contains((name == "sd2" ? "cond_stage_model." : "cond_stage_model.1.") + layer))
    try writer.write(to: path)
    let worst = try SingleFileTests.worst(
      try await SingleFileTests.draw(try SingleFileTests.model(path)), name)
    #expect(worst <= 1, "off by \(worst) of 255")
  }
}
