import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints
import TextTokenizer

extension LatentParts {
  /// Writes the model in another layout or precision; what appears under `path` is whole or not there.
  ///
  /// - Parameters:
  ///   - precision: `nil` for each tensor's own.
  /// - Throws: ``PipelineError`` where a tensor is missing or has no place in the layout, or a file cannot be written.
  public func write(
    to path: String, layout: ModelLayout, precision: StoredPrecision? = nil
  ) throws(PipelineError) {
    switch layout {
    case .diffusers: try writeFolder(path, precision)
    case .single, .gguf: try writeFile(path, layout, precision)
    }
  }

  // MARK: - One file

  private func writeFile(
    _ path: String, _ layout: ModelLayout, _ precision: StoredPrecision?
  ) throws(PipelineError) {
    let checkpoints = try singleFileParts()
    var writer = CheckpointWriter(metadata: try singleFileNotes(checkpoints, path))
    do throws(CheckpointError) {
      for checkpoint in checkpoints {
        try writer.add(checkpoint, precision, isGGUF: layout == .gguf)
      }
      if layout == .gguf {
        try writer.writeGGUF(to: path, architecture: kind.architecture)
      } else {
        writer.metadata["format"] = "pt"
        try writer.write(to: path)
      }
    } catch {
      throw .model(.checkpoint(error))
    }
  }

  var kind: SingleFileKind { SingleFileKind(unet.configuration, texts) }

  /// The parts under the names of a single file, each checked to be whole.
  func singleFileParts() throws(PipelineError) -> [ForeignCheckpoint] {
    try check()
    let prefix = ConditionalUNetConfiguration.singleFilePrefix
    var parts = [
      ForeignCheckpoint(
        unet.source, unet.configuration.singleFileTensors(of: unet.tensors, under: prefix)),
      ForeignCheckpoint(
        autoencoder.source, autoencoder.configuration.placedTensors(of: autoencoder.tensors)),
    ]
    for (number, text) in texts.enumerated() {
      let (prefix, naming) = kind.textPlace(number, of: texts.count)
      parts.append(
        ForeignCheckpoint(
          text.part.source,
          text.part.configuration.placedTextTensors(
            of: text.part.tensors, under: prefix, naming: naming)))
    }
    return parts
  }

  /// That every part has what its structure asks for.
  private func check() throws(PipelineError) {
    let sources = [(unet.source, unet.tensors), (autoencoder.source, autoencoder.tensors)]
    for (source, tensors) in sources + texts.map({ ($0.part.source, $0.part.tensors) }) {
      let report = source.report(expected: tensors)
      guard report.isClean else {
        throw .model(.checkpoint(.mismatch(path: source.path, report: report)))
      }
    }
  }

  // MARK: - A folder

  private func writeFolder(
    _ path: String, _ precision: StoredPrecision?
  ) throws(PipelineError) {
    guard precision != .q8_0 else {
      throw .request(
        part: "dtype", problem: "a diffusers folder has no q8_0; write a GGUF file, or give f16")
    }
    try check()
    let files = FileManager.default
    let existing = try? files.contentsOfDirectory(atPath: path)
    guard existing?.isEmpty ?? !files.fileExists(atPath: path) else {
      throw .model(
        .file(path: path, problem: "is there already; give a folder that is not, or an empty one"))
    }
    let draft = "\(path).\(UUID().uuidString)"
    defer { try? files.removeItem(atPath: draft) }
    try writeParts(draft, precision)
    do {
      if existing != nil { try files.removeItem(atPath: path) }
      try files.moveItem(atPath: draft, toPath: path)
    } catch {
      throw .model(.file(path: path, problem: "cannot be written: \(error.localizedDescription)"))
    }
  }

  private func writeParts(
    _ path: String, _ precision: StoredPrecision?
  ) throws(PipelineError) {
    let model = "diffusion_pytorch_model.safetensors"
    try write(unet.source, unet.tensors.map(\.name), "\(path)/unet/\(model)", precision)
    try write(
      autoencoder.source, autoencoder.tensors.map(\.name), "\(path)/vae/\(model)", precision)
    for (text, suffix) in zip(texts, textSuffixes) {
      let names = text.part.tensors.map(\.name)
      try write(
        text.part.source, names, "\(path)/text_encoder\(suffix)/model.safetensors", precision
      ) { $0.hasPrefix("text_projection") ? $0 : "text_model.\($0)" }
      try text.tokenizer.write(to: "\(path)/tokenizer\(suffix)")
    }
    for (name, json) in try configurations() {
      do {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try json.write(to: url)
      } catch {
        throw .model(
          .file(
            path: "\(path)/\(name)", problem: "cannot be written: \(error.localizedDescription)"))
      }
    }
  }

  /// What the names of the text encoders' folders end in.
  var textSuffixes: [String] {
    texts.count == 1 && texts[0].hasProjection ? ["_2"] : ["", "_2"]
  }

  private func write(
    _ source: any CheckpointSource, _ names: [String], _ path: String,
    _ precision: StoredPrecision?, renamed: (String) -> String = { $0 }
  ) throws(PipelineError) {
    var writer = CheckpointWriter(metadata: ["format": "pt"])
    do {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(),
        withIntermediateDirectories: true)
      for name in names {
        guard let entry = source.entry(named: name) else { continue }
        try writer.add(
          renamed(name), from: source, named: name,
          as: precision?.type(name, entry.type, entry.shape))
      }
      try writer.write(to: path)
    } catch let error as CheckpointError {
      throw .model(.checkpoint(error))
    } catch {
      throw .model(.file(path: path, problem: "cannot be written: \(error.localizedDescription)"))
    }
  }
}

extension CheckpointWriter {
  /// Adds every tensor of a checkpoint under its name.
  package mutating func add(
    _ source: any CheckpointSource, _ precision: StoredPrecision?, isGGUF: Bool
  ) throws(CheckpointError) {
    for entry in source.entries {
      let type = precision?.type(entry.name, entry.type, entry.shape) ?? entry.type
      guard isGGUF || type.isSafetensors else {
        throw .unwritable(
          path: source.path,
          reason: "safetensors files have no \(type.rawValue), which \(quoted(entry.name)) is to "
            + "be in; give --dtype f16, or write a GGUF file")
      }
      try add(entry.name, from: source, named: entry.name, as: type)
    }
  }
}

extension LatentParts.TokenizerPlace {
  /// Writes the tokenizer as a folder.
  fileprivate func write(to folder: String) throws(PipelineError) {
    do {
      switch self {
      case .folder(let source):
        try FileManager.default.copyItem(atPath: source, toPath: folder)
      case .embedded(let padID):
        try BytePairVocabulary.writeFolder(
          folder, openAI: EmbeddedVocabulary.path(),
          pad: padID == 0 ? "!" : BytePairVocabulary.endMarker)
      }
    } catch let error as PipelineError {
      throw error
    } catch {
      throw .model(.file(path: folder, problem: "cannot be written: \(error)"))
    }
  }
}
