import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore

/// Which of Stability AI's models a single file has, and with it what no tensor says: the schedule and the scheduler that
/// diffusers' folders of these models have, and the scale of latents.
enum SingleFileKind: Sendable, Hashable {
  /// Stable Diffusion 1, also for inpainting.
  case first
  /// Stable Diffusion 2; `inpaints` with a mask and a masked picture beside the latents.
  case second(inpaints: Bool)
  /// SDXL, base or refiner.
  case large
  /// The x4 upscaler.
  case upscaler

  init(_ unet: ConditionalUNetConfiguration, _ texts: [LatentParts.Text]) {
    if unet.additionalEmbedding == .textTime {
      self = .large
    } else if unet.classCount != nil && unet.inChannels == 7 {
      self = .upscaler
    } else if unet.crossAttentionWidths[0] == 1024 || texts.first?.naming == .openCLIP
      || texts.first?.part.configuration.activation == .gelu
    {
      self = .second(inpaints: unet.inChannels == 9)
    } else {
      self = .first
    }
  }

  /// What latents are multiplied by.
  var scalingFactor: Double {
    switch self {
    case .first, .second: 0.18215
    case .large: 0.13025
    case .upscaler: 0.08333
    }
  }

  /// The side of the autoencoder's usual pictures.
  var pictureSide: Int {
    switch self {
    case .first: 512
    case .second: 768
    case .large: 1024
    case .upscaler: 256
    }
  }

  /// The side of the latents that the U-Net was trained on, where its shapes do not tell.
  func sampleSize(_ process: ProcessConfiguration) -> Int? {
    self == .second(inpaints: false) && process.parameterization == .velocity ? 96 : nil
  }

  /// What GGUF files call it.
  var architecture: String {
    switch self {
    case .first: "sd1"
    case .second: "sd2"
    case .large: "sdxl"
    case .upscaler: "sd-x4-upscaler"
    }
  }

  /// What the names of a text encoder begin with, and whose they are.
  func textPlace(_ number: Int, of count: Int) -> (prefix: String, naming: CLIPTextNaming) {
    switch self {
    case .first: ("cond_stage_model.transformer.", .transformers)
    case .second, .upscaler: ("cond_stage_model.model.", .openCLIP)
    case .large:
      if count == 1 {
        ("conditioner.embedders.0.model.", .openCLIP)
      } else if number == 0 {
        ("conditioner.embedders.0.transformer.", .transformers)
      } else {
        ("conditioner.embedders.1.model.", .openCLIP)
      }
    }
  }

  /// The scheduler's configuration, as diffusers' folders have it.
  private var scheduler: String {
    let name =
      switch self {
      case .first: "PNDMScheduler"
      case .second, .upscaler: "DDIMScheduler"
      case .large: "EulerDiscreteScheduler"
      }
    let (first, last) = self == .upscaler ? (0.0001, 0.02) : (0.00085, 0.012)
    let own =
      switch self {
      case .first: ", \"skip_prk_steps\": true, \"set_alpha_to_one\": false"
      case .second, .upscaler: ", \"clip_sample\": false, \"set_alpha_to_one\": false"
      case .large: ""
      }
    return """
      {"_class_name": "\(name)", "num_train_timesteps": 1000, "beta_schedule": "scaled_linear", \
      "beta_start": \(first), "beta_end": \(last), "timestep_spacing": "leading", "steps_offset": 1\(own)}
      """
  }

  /// How a small picture is noised before it is enlarged: diffusers' `low_res_scheduler`.
  var lowResolution: ProcessConfiguration? {
    guard self == .upscaler else { return nil }
    var process = ProcessConfiguration()
    (process.schedule, process.firstBeta, process.lastBeta) = (.scaledLinear, 1e-4, 0.02)
    return process
  }

  /// The process and the scheduler.
  ///
  /// What the answer of a Stable Diffusion 2 stands for is told as diffusers tells it: epsilon for the checkpoint of
  /// 875,000 steps (512-base), else the velocity. Files of other programs may have a tensor `v_pred`, for the velocity,
  /// and `ztsnr`, for a schedule that ends without signal.
  func process(
    _ source: any CheckpointSource, _ notes: inout [String]
  ) -> ProcessConfiguration {
    guard var process = try? ProcessConfiguration(json: Data(scheduler.utf8)) else {
      misuse("SingleFileKind", "its scheduler is not read: \(scheduler)")
    }
    switch self {
    case .upscaler: process.parameterization = .velocity
    case .second(inpaints: false):
      process.parameterization =
        source.metadata["global_step"] == "875000" ? .epsilon : .velocity
      if source.entry(named: "v_pred") == nil && source.metadata["global_step"] == nil {
        notes.append(
          "\(source.path): a Stable Diffusion 2 that does not say what it was trained for: taken to "
            + "answer with the velocity; --prediction epsilon for one of 512x512")
      }
    default: break
    }
    if source.entry(named: "v_pred") != nil { process.parameterization = .velocity }
    if source.entry(named: "ztsnr") != nil { process.zeroTerminalSNR = true }
    return process
  }
}
