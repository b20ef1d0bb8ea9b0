import Diffusion
import DiffusionModels
import Foundation
import TensorCheckpoints

/// Where a pixel model is read from.
public enum ModelLocation: Sendable, Hashable {
  /// The model that comes with the engine.
  case embedded
  /// A path: an exported model or a training checkpoint (one file), a training run's folder (its `model.safetensors`, else
  /// its latest checkpoint), or a diffusers folder (a pipeline's, with `unet/` and `scheduler/`, or a model's alone).
  case path(String)

  /// Reads the model.
  ///
  /// - Parameter notes: gets a line for everything that was found and left aside, such as unknown configuration keys.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public func load(notes: inout [String]) throws(PipelineError) -> PixelModel {
    switch self {
    case .embedded: return try Self.file(EmbeddedModel.path())
    case .path(let path):
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw .noModel(path: path, problem: "no such file or folder; give the path of a model")
      }
      return try isFolder.boolValue ? Self.folder(path, &notes) : Self.file(path)
    }
  }

  private static func file(_ path: String) throws(PipelineError) -> PixelModel {
    do {
      return try PixelModel(path: path)
    } catch let error as ModelError {
      throw .model(error)
    } catch let error as CheckpointError {
      throw .model(.checkpoint(error))
    } catch {
      throw .noModel(path: path, problem: "\(error)")
    }
  }

  private static func folder(
    _ path: String, _ notes: inout [String]
  ) throws(PipelineError) -> PixelModel {
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
    if names.contains("unet") {
      return try diffusers(
        path + "/unet", scheduler: path + "/scheduler/scheduler_config.json", &notes)
    }
    if names.contains(UNet.configurationFile) {
      return try diffusers(path, scheduler: path + "/scheduler_config.json", &notes)
    }
    if names.contains("model.safetensors") { return try file(path + "/model.safetensors") }
    let checkpoints = names.filter {
      $0.hasPrefix("checkpoint-") && $0.hasSuffix(".safetensors")
    }
    if let latest = checkpoints.max() { return try file(path + "/" + latest) }
    throw .noModel(
      path: path,
      problem: "expected a diffusers folder (unet/ or \(UNet.configurationFile)) or a training run "
        + "(model.safetensors or checkpoint-*.safetensors), found neither")
  }

  private static func diffusers(
    _ folder: String, scheduler: String, _ notes: inout [String]
  ) throws(PipelineError) -> PixelModel {
    var unknown: [String] = []
    let network: UNet
    do {
      network = try UNet(folder: folder, unknownKeys: &unknown)
    } catch {
      throw .model(error)
    }
    notes += unknown.map { "\(folder)/\(UNet.configurationFile): key \($0) is not known, ignored" }
    let process = try process(scheduler, &notes)
    let configuration = PixelModelConfiguration(model: network.configuration, process: process)
    do {
      try configuration.validate()
    } catch {
      throw .model(error)
    }
    return PixelModel(network: network, configuration: configuration)
  }

  /// What a `scheduler_config.json` says; diffusers' defaults where there is none, which is noted.
  static func process(
    _ path: String, _ notes: inout [String]
  ) throws(PipelineError) -> ProcessConfiguration {
    guard FileManager.default.fileExists(atPath: path) else {
      notes.append("\(path): absent, so DDPM's linear schedule and epsilon are assumed")
      return ProcessConfiguration()
    }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      notes += try ProcessConfiguration.unknownParts(json: data).map { "\(path): \($0)" }
      return try ProcessConfiguration(json: data)
    } catch let error as DecodingError {
      throw .model(Self.modelError(error, path))
    } catch {
      throw .model(.file(path: path, problem: "cannot be read: \(error.localizedDescription)"))
    }
  }

  static func modelError(_ error: DecodingError, _ path: String) -> ModelError {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default: return .configuration(path: path, key: "", problem: "\(error)")
    }
    let key = context.codingPath.map(\.stringValue).joined(separator: ".")
    return .configuration(path: path, key: key, problem: context.debugDescription)
  }
}
