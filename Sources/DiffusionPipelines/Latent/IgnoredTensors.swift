/// Names of single files: what the parts' begin with, and what is beside the parts and not used.
enum IgnoredTensors {
  /// What the autoencoder's names begin with.
  static let autoencoderPrefixes = ["first_stage_model.", "vae."]
  /// What the names of the first text encoder and of the second begin with: Stability AI's, and stable-diffusion.cpp's.
  static let textPrefixes = [
    [
      "cond_stage_model.transformer.", "cond_stage_model.model.",
      "conditioner.embedders.0.transformer.", "conditioner.embedders.0.model.",
      "text_encoders.clip_l.transformer.",
    ],
    [
      "conditioner.embedders.1.model.", "conditioner.embedders.1.transformer.",
      "cond_stage_model.1.model.", "cond_stage_model.1.transformer.",
      "text_encoders.clip_g.transformer.",
    ],
  ]

  /// Numbers that text encoders have beside their parameters: the positions', the mask's, the temperature.
  static func isTextNumber(_ name: String) -> Bool {
    ["position_ids", "attn_mask", "logit_scale"].contains { name.hasSuffix($0) }
  }

  /// What only an autoencoder's training has.
  static func isTraining(_ name: String, under prefix: String) -> Bool {
    ["loss.", "model_ema."].contains { name.hasPrefix(prefix + $0) }
  }

  private static let scheduleTables = [
    "betas", "alphas_cumprod", "sqrt_", "log_one_minus_", "posterior_", "lvlb_weights", "logvar",
    "denoiser.sigmas", "low_scale_model.", "scale_factor", "v_pred", "ztsnr",
  ]

  /// Lines for what a file has outside of its parts.
  static func notes(_ names: [String], path: String) -> [String] {
    var counts: [(what: String, examples: [String])] = []
    func count(_ name: String, _ what: String) {
      if let index = counts.firstIndex(where: { $0.what == what }) {
        counts[index].examples.append(name)
      } else {
        counts.append((what, [name]))
      }
    }
    for name in names {
      if name.hasPrefix("model_ema.") {
        count(name, "the averaged copy of the U-Net")
      } else if scheduleTables.contains(where: name.hasPrefix) {
        count(name, "the tables of the schedule")
      } else if isTextNumber(name) || name.contains("text_projection") {
        count(name, "numbers of the text encoder that drawing does not take")
      } else if autoencoderPrefixes.contains(where: { isTraining(name, under: $0) }) {
        count(name, "the autoencoder's loss")
      } else {
        count(name, "other tensors")
      }
    }
    return counts.map { what, examples in
      "\(path): \(what) are not used (\(examples.count) tensors, such as \(examples[0]))"
        .replacing("the averaged copy of the U-Net are", with: "the averaged copy of the U-Net is")
        .replacing("the autoencoder's loss are", with: "the autoencoder's loss is")
    }
  }
}
