import DiffusionModels
import Foundation
import TensorCheckpoints

/// Where a latent model was found.
enum LatentLocation: Hashable {
  /// A diffusers folder.
  case folder(String)
  /// A file with all parts.
  case file(String)

  /// What a path leads to: a diffusers folder, a Hugging Face cache's folder of a model (`models--OWNER--NAME`, of which
  /// the snapshot counts that `refs/main` names) or a single file, alone in such a snapshot or not; nil where it is no
  /// latent model.
  ///
  /// - Throws: ``PipelineError`` where there is nothing, or a file that is no whole checkpoint.
  init?(_ path: String) throws(PipelineError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .noModel(path: path, problem: "no such file or folder; give the path of a model")
    }
    guard isFolder.boolValue else {
      guard try Self.isSingleFile(path) else { return nil }
      self = .file(path)
      return
    }
    let folder = try Self.snapshot(path) ?? path
    if Self.isFolder(folder) {
      self = .folder(folder)
      return
    }
    guard folder != path else { return nil }
    let files = Self.names(folder).map { "\(folder)/\($0)" }
      .filter { (try? Self.isSingleFile($0)) ?? false }
    guard files.count == 1 else { return nil }
    self = .file(files[0])
  }

  /// Whether a folder has the parts of a latent model that draws from texts.
  static func isFolder(_ path: String) -> Bool {
    [LatentParts.indexFile, "unet", "vae"].allSatisfy { exists("\(path)/\($0)") }
      && (exists("\(path)/text_encoder") || exists("\(path)/text_encoder_2"))
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  private static func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private static func isSingleFile(_ path: String) throws(PipelineError) -> Bool {
    let source: any CheckpointSource
    do throws(CheckpointError) {
      source = try openCheckpoint(path: path)
    } catch {
      throw .model(.checkpoint(error))
    }
    return source.entries.contains {
      $0.name.hasPrefix(ConditionalUNetConfiguration.singleFilePrefix)
    }
  }

  /// The snapshot of a cache's folder that `refs/main` names, or the only one; nil where there is none.
  private static func snapshot(_ path: String) throws(PipelineError) -> String? {
    let snapshots = names("\(path)/snapshots")
    let main = (try? String(contentsOfFile: "\(path)/refs/main", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
    if let main, snapshots.contains(main) { return "\(path)/snapshots/\(main)" }
    guard snapshots.count > 1 else { return snapshots.first.map { "\(path)/snapshots/\($0)" } }
    throw .noModel(
      path: path,
      problem: "expected that refs/main names one of the snapshots "
        + "\(snapshots.joined(separator: ", ")), found \(main ?? "no such file"); give the path of one"
    )
  }
}
