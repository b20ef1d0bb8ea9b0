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
  init?(_ path: String) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    guard isFolder.boolValue else {
      guard Self.isSingleFile(path) else { return nil }
      self = .file(path)
      return
    }
    let folder = Self.snapshot(path) ?? path
    if Self.isFolder(folder) {
      self = .folder(folder)
      return
    }
    guard folder != path else { return nil }
    let files = Self.names(folder).map { "\(folder)/\($0)" }.filter(Self.isSingleFile)
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

  private static func isSingleFile(_ path: String) -> Bool {
    guard let source = try? openCheckpoint(path: path) else { return false }
    return source.entries.contains {
      $0.name.hasPrefix(ConditionalUNetConfiguration.singleFilePrefix)
    }
  }

  /// The snapshot of a cache's folder that `refs/main` names, or the only one.
  private static func snapshot(_ path: String) -> String? {
    let snapshots = names("\(path)/snapshots")
    let main = (try? String(contentsOfFile: "\(path)/refs/main", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
    if let main, snapshots.contains(main) { return "\(path)/snapshots/\(main)" }
    return snapshots.count == 1 ? "\(path)/snapshots/\(snapshots[0])" : nil
  }
}
