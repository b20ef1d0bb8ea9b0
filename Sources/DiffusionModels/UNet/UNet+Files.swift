import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

extension UNet {
  /// The names diffusers gives the two files of a model's folder.
  public static let configurationFile = "config.json"
  /// The parameters' file.
  public static let parametersFile = "diffusion_pytorch_model.safetensors"

  /// Reads a model's folder as diffusers writes it.
  ///
  /// - Parameters:
  ///   - folder: has ``configurationFile`` and ``parametersFile``.
  ///   - unknownKeys: set to the keys of the configuration that this engine does not know.
  /// - Throws: ``ModelError`` with the file that is wrong.
  public init(folder: String, unknownKeys: inout [String]) throws(ModelError) {
    let path = folder + "/" + Self.configurationFile
    let configuration: UNetConfiguration
    do {
      let json = try Data(contentsOf: URL(fileURLWithPath: path))
      configuration = try UNetConfiguration(json: json, unknownKeys: &unknownKeys)
    } catch let error as ModelError {
      throw error.inFile(path)
    } catch {
      throw .file(path: path, problem: "cannot be read: \(error.localizedDescription)")
    }
    do {
      try self.init(configuration, from: Self.parameters(in: folder))
    } catch let error as ModelError {
      throw error.inFile(path)
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch {
      throw .file(path: folder, problem: "\(error)")
    }
  }

  /// The parameters in a model's folder: ``parametersFile``, the index of its shards or PyTorch's file.
  private static func parameters(
    in folder: String
  ) throws(CheckpointError) -> any CheckpointSource {
    let stem = "diffusion_pytorch_model"
    let names = [
      parametersFile, "\(parametersFile).index.json", "\(stem).bin", "\(stem).bin.index.json",
    ]
    let found = names.first { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    return try openCheckpoint(path: "\(folder)/\(found ?? parametersFile)")
  }

  /// A network of `configuration` with the parameters of `source`, which must have exactly its names (attention also under
  /// its old ones) and shapes.
  ///
  /// - Throws: ``ModelError``.
  public init(
    _ configuration: UNetConfiguration, from source: any CheckpointSource, dtype: DType = .float32
  ) throws(ModelError) {
    var initializer = ParameterInitializer.unset
    try self.init(configuration, initializer: &initializer)
    do throws(CheckpointError) {
      if let map = oldNames(in: source) {
        try load(from: source.renamed(by: map), dtype: dtype)
      } else {
        try load(from: source, dtype: dtype)
      }
    } catch {
      throw .checkpoint(error)
    }
  }

  /// What attention's parts were called before diffusers 0.13.
  private static let oldAttentionNames = [
    "to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn",
  ]

  /// The map from the old names of attention's parts, where `source` has them.
  private func oldNames(in source: any CheckpointSource) -> KeyMap? {
    var pairs: [(foreign: String, own: String)] = []
    for (name, _) in checkpointShapes() where name.contains("attentions.") {
      for (own, old) in Self.oldAttentionNames {
        let foreign = name.replacing(".\(own).", with: ".\(old).")
        if foreign != name && source.entry(named: foreign) != nil { pairs.append((foreign, name)) }
      }
    }
    return pairs.isEmpty ? nil : KeyMap(names: pairs)
  }

  /// Writes a model's folder as diffusers does: each file whole or not at all.
  ///
  /// - Throws: ``ModelError`` with the file that could not be written.
  public func save(folder: String) throws(ModelError) {
    let path = folder + "/" + Self.configurationFile
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let json = try encoder.encode(NamedConfiguration(configuration: configuration))
      try json.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw .file(path: path, problem: "cannot be written: \(error.localizedDescription)")
    }
    var writer = CheckpointWriter(metadata: ["format": "pt"])
    save(to: &writer)
    do throws(CheckpointError) {
      try writer.write(to: folder + "/" + Self.parametersFile)
    } catch {
      throw .checkpoint(error)
    }
  }
}

/// A configuration with the name by which diffusers finds the class.
private struct NamedConfiguration: Encodable {
  let configuration: UNetConfiguration

  private enum CodingKeys: String, CodingKey { case className = "_class_name" }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode("UNet2DModel", forKey: .className)
    try configuration.encode(to: encoder)
  }
}
