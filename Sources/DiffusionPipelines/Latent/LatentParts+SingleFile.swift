import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints

extension LatentParts {
  /// Finds the parts of a single file with the names of CompVis and Stability AI, told apart by its tensors.
  ///
  /// - Throws: ``PipelineError`` where a part is missing, or more than its file has was asked for.
  init(
    singleFile source: any CheckpointSource, options: Options, notes: inout [String]
  ) throws(PipelineError) {
    let prefix = ConditionalUNetConfiguration.singleFilePrefix
    var structure: ConditionalUNetConfiguration
    do throws(ModelError) {
      structure = try ConditionalUNetConfiguration(singleFile: source)
      let own = try SingleFileNotes.configuration(
        ConditionalUNetConfiguration.self, "unet", source)
      structure = own ?? structure
    } catch {
      throw .model(error)
    }
    let takesSizes = structure.additionalEmbedding == .textTime
    texts = []
    for (number, prefixes) in IgnoredTensors.textPrefixes.enumerated() {
      let isProjected = takesSizes && (number == 1 || !Self.hasSecondText(source))
      for prefix in prefixes {
        guard
          var text = Self.text(in: source, under: prefix, hasProjection: isProjected)
        else { continue }
        try SingleFileNotes.apply(to: &text, number, source, prefix)
        texts.append(text)
        break
      }
    }
    let kind = SingleFileKind(structure, texts)
    process = kind.process(source, &notes)
    do throws(ModelError) {
      let own = try SingleFileNotes.configuration(
        ProcessConfiguration.self, "scheduler", source)
      process = own ?? process
    } catch {
      throw .model(error)
    }
    (lowResolution, zeroesEmptyNegative) = (kind.lowResolution, kind == .large && texts.count > 1)
    structure.sampleSize = kind.sampleSize(process) ?? structure.sampleSize
    unet = Part(
      structure, source.part(under: prefix),
      structure.singleFileTensors(of: structure.tensors))
    autoencoder = try Self.autoencoder(source, kind, options, &notes)
    try replaceTexts(options.textEncoders, &notes)
    guard !texts.isEmpty else {
      throw .noModel(
        path: source.path,
        problem:
          "expected a text encoder under cond_stage_model. or conditioner., found none; give "
          + "one with --text-encoder")
    }
    let used =
      [prefix] + IgnoredTensors.autoencoderPrefixes + IgnoredTensors.textPrefixes.flatMap { $0 }
    let others = source.entries.map(\.name).filter { name in
      !used.contains { name.hasPrefix($0) } || IgnoredTensors.isTextNumber(name)
        || IgnoredTensors.autoencoderPrefixes.contains {
          IgnoredTensors.isTraining(name, under: $0)
        }
    }
    notes += IgnoredTensors.notes(others, path: source.path)
  }

  private static func hasSecondText(_ source: any CheckpointSource) -> Bool {
    IgnoredTensors.textPrefixes[1].contains {
      CLIPConfiguration.text(shapesOf: source, under: $0) != nil
    }
  }

  private static func autoencoder(
    _ source: any CheckpointSource, _ kind: SingleFileKind, _ options: Options,
    _ notes: inout [String]
  ) throws(PipelineError) -> Part<AutoencoderConfiguration> {
    var usual = AutoencoderConfiguration.stableDiffusion
    usual.scalingFactor = kind.scalingFactor
    usual.sampleSize = kind.pictureSide
    if let path = options.autoencoder {
      return try autoencoder(at: path, like: usual, &notes)
    }
    guard
      let prefix = IgnoredTensors.autoencoderPrefixes.first(where: { prefix in
        source.entries.contains { $0.name.hasPrefix(prefix) }
      })
    else {
      throw .noModel(
        path: source.path,
        problem: "expected an autoencoder under first_stage_model., found none; give one with --vae"
      )
    }
    do throws(ModelError) {
      var configuration = try AutoencoderConfiguration(shapesOf: source, under: prefix)
      configuration.scalingFactor = usual.scalingFactor
      configuration.sampleSize = usual.sampleSize
      let own = try SingleFileNotes.configuration(AutoencoderConfiguration.self, "vae", source)
      let structure = own ?? configuration
      return Part(
        structure, source.part(under: prefix),
        structure.placedTensors(of: structure.tensors, under: prefix)
      ) { IgnoredTensors.isTraining($0, under: prefix) }
    } catch {
      throw .model(error)
    }
  }
}

/// What a single file says beside its tensors: the structures that shapes cannot tell, as ``LatentParts`` writes them.
enum SingleFileNotes {
  /// What the keys begin with.
  static let prefix = "diffusion."

  /// The structure of a part, where the file has it.
  static func configuration<C: Decodable>(
    _ type: C.Type, _ part: String, _ source: any CheckpointSource
  ) throws(ModelError) -> C? {
    guard let text = source.metadata[prefix + part] else { return nil }
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch {
      throw .configuration(path: source.path, key: prefix + part, problem: "\(error)")
    }
  }

  /// Gives a text encoder the structure that the file says.
  static func apply(
    to text: inout LatentParts.Text, _ number: Int, _ source: any CheckpointSource,
    _ prefix: String
  ) throws(PipelineError) {
    do throws(ModelError) {
      let part = number == 0 ? "text_encoder" : "text_encoder_2"
      guard let structure = try configuration(CLIPConfiguration.self, part, source) else { return }
      let placed = structure.placedTextTensors(
        of: structure.tensors(text.hasProjection), under: prefix, naming: text.naming)
      text.part = LatentParts.Part(
        structure, source.part(under: prefix), placed,
        ignoring: IgnoredTensors.isTextNumber)
    } catch {
      throw .model(error)
    }
  }
}
