import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TextTokenizer

extension LatentParts {
  /// What a single file has to say beside its tensors: the structures and the scheduler, where they are not those that a
  /// reader takes a file of such shapes to have.
  func singleFileNotes(
    _ parts: [ForeignCheckpoint], _ path: String
  ) throws(PipelineError) -> [String: String] {
    for text in texts {
      if try text.tokenizer.isEmbedded() { continue }
      throw .noModel(
        path: folder ?? path,
        problem: "its tokenizer is not CLIP's, and a single file has no other; write a folder")
    }
    var notes: [String: String] = [:]
    func note(_ part: String, _ value: some Encodable) throws(PipelineError) {
      notes[SingleFileNotes.prefix + part] = String(
        decoding: try Self.json(value, [.sortedKeys]), as: UTF8.self)
    }
    var ignored: [String] = []
    var bare = try LatentParts(
      singleFile: JoinedCheckpoint(parts, path: path), options: Options(), notes: &ignored)
    bare.unet.configuration.sampleSize =
      kind.sampleSize(process) ?? bare.unet.configuration.sampleSize
    if bare.unet.configuration != unet.configuration { try note("unet", unet.configuration) }
    if bare.autoencoder.configuration != autoencoder.configuration {
      try note("vae", autoencoder.configuration)
    }
    for (number, (own, found)) in zip(texts, bare.texts).enumerated() {
      let (own, found) = (own.part.configuration, found.part.configuration)
      var alike = own
      // The largest token of a text, as old configurations have it, is the end marker.
      if own.endToken == 2 { alike.endToken = found.endToken }
      if !texts[number].hasProjection { alike.projectionWidth = found.projectionWidth }
      if alike != found { try note(number == 0 ? "text_encoder" : "text_encoder_2", own) }
    }
    if bare.process != process { try note("scheduler", process) }
    return notes
  }

  /// The small files of a diffusers folder by their paths in it: those of the folder that the model came from, or new ones.
  func configurations() throws(PipelineError) -> [(String, Data)] {
    var files: [(String, Data)] = [
      (Self.indexFile, try Self.objectJSON(index)),
      ("unet/config.json", try Self.diffusersJSON(unet.configuration, unetExtras)),
      ("vae/config.json", try Self.diffusersJSON(autoencoder.configuration, autoencoderExtras)),
      ("scheduler/scheduler_config.json", try Self.json(process)),
    ]
    if let lowResolution {
      files.append(("low_res_scheduler/scheduler_config.json", try Self.json(lowResolution)))
    }
    for (text, suffix) in zip(texts, textSuffixes) {
      let extras: [String: Any] = [
        "architectures": [text.className], "model_type": "clip_text_model",
        "bos_token_id": 49406, "pad_token_id": 1,
      ]
      files.append(
        (
          "text_encoder\(suffix)/config.json",
          try Self.diffusersJSON(text.part.configuration, extras)
        ))
    }
    guard let folder else { return files }
    return files.map { name, json in
      let own =
        name == Self.indexFile ? nil : FileManager.default.contents(atPath: "\(folder)/\(name)")
      return (name, own ?? json)
    }
  }

  private var index: [String: Any] {
    var index: [String: Any] = [
      "_class_name": pipelineClass,
      "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
      "scheduler": ["diffusers", process.sampling.className ?? "DDIMScheduler"],
    ]
    for (text, suffix) in zip(texts, textSuffixes) {
      index["text_encoder\(suffix)"] = ["transformers", text.className]
      index["tokenizer\(suffix)"] = ["transformers", "CLIPTokenizer"]
    }
    if kind != .large {
      index["safety_checker"] = [NSNull(), NSNull()]
      index["feature_extractor"] = [NSNull(), NSNull()]
    }
    if zeroesEmptyNegative { index["force_zeros_for_empty_prompt"] = true }
    if lowResolution != nil { index["low_res_scheduler"] = ["diffusers", "DDPMScheduler"] }
    return index
  }

  private var pipelineClass: String {
    switch kind {
    case .large where texts.count == 1: "StableDiffusionXLImg2ImgPipeline"
    case .large: "StableDiffusionXLPipeline"
    case .upscaler: "StableDiffusionUpscalePipeline"
    case .first, .second:
      unet.configuration.inChannels == 2 * autoencoder.configuration.latentChannels + 1
        ? "StableDiffusionInpaintPipeline" : "StableDiffusionPipeline"
    }
  }

  private var unetExtras: [String: Any] { ["_class_name": "UNet2DConditionModel"] }

  private var autoencoderExtras: [String: Any] {
    let count = autoencoder.configuration.blockOutChannels.count
    return [
      "_class_name": "AutoencoderKL",
      "down_block_types": Array(repeating: "DownEncoderBlock2D", count: count),
      "up_block_types": Array(repeating: "UpDecoderBlock2D", count: count),
    ]
  }

  private static func json(
    _ value: some Encodable,
    _ format: JSONEncoder.OutputFormatting = [
      .sortedKeys, .prettyPrinted, .withoutEscapingSlashes,
    ]
  ) throws(PipelineError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = format
    do {
      return try encoder.encode(value)
    } catch {
      throw .noModel(path: "", problem: "its configuration cannot be written: \(error)")
    }
  }

  /// A structure with what diffusers asks for beside it.
  private static func diffusersJSON(
    _ value: some Encodable, _ extras: [String: Any]
  ) throws(PipelineError) -> Data {
    do {
      let plain = try JSONSerialization.jsonObject(with: json(value)) as? [String: Any] ?? [:]
      let unused = ["num_vq_embeddings", "image_size", "patch_size", "num_channels"]
      return try objectJSON(
        plain.filter { !unused.contains($0.key) }.merging(extras) { $1 })
    } catch let error as PipelineError {
      throw error
    } catch {
      throw .noModel(path: "", problem: "its configuration cannot be written: \(error)")
    }
  }

  private static func objectJSON(_ object: [String: Any]) throws(PipelineError) -> Data {
    do {
      return try JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    } catch {
      throw .noModel(path: "", problem: "its configuration cannot be written: \(error)")
    }
  }
}

extension LatentParts.Text {
  /// transformers' class.
  fileprivate var className: String {
    hasProjection ? "CLIPTextModelWithProjection" : "CLIPTextModel"
  }
}

extension LatentParts.TokenizerPlace {
  /// Whether the vocabulary is the one that comes with the engine.
  fileprivate func isEmbedded() throws(PipelineError) -> Bool {
    if case .embedded = self { return true }
    return try read().vocabulary.ids == Self.embedded(padID: nil).read().vocabulary.ids
  }
}

/// Several checkpoints as one.
struct JoinedCheckpoint: CheckpointSource {
  let path: String
  let metadata: [String: String] = [:]
  let entries: [CheckpointEntry]
  private let places: [TensorName: (part: any CheckpointSource, entry: CheckpointEntry)]

  init(_ parts: [ForeignCheckpoint], path: String) {
    self.path = path
    entries = parts.flatMap(\.entries)
    places = Dictionary(
      parts.flatMap { part in part.entries.map { (TensorName($0.name), (part, $0)) } },
      uniquingKeysWith: { $1 })
  }

  func entry(named name: String) -> CheckpointEntry? { places[TensorName(name)]?.entry }

  func tensor(named name: String) throws(CheckpointError) -> Tensor {
    try elements(named: name).tensor()
  }

  func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard let place = places[TensorName(name)] else { throw .missing(path: path, name: name) }
    return try place.part.elements(named: name)
  }
}
