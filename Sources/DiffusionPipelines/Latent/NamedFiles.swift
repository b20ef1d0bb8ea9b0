import Foundation

/// The files of a folder that prompts may name, by their names without ending; those in folders within it too.
public struct NamedFiles: Sendable {
  /// Where one looks for a folder that is not given.
  public enum Kind: Sendable {
    /// Adapters.
    case adapters
    /// Learned words.
    case words

    /// The option that names it, and the variable of the environment that does.
    var option: String { self == .adapters ? "lora-dir" : "embedding-dir" }
    var variable: String { self == .adapters ? "DIFFUSION_LORA_DIR" : "DIFFUSION_EMBEDDING_DIR" }
    /// What other tools call the folder.
    var folders: [String] {
      self == .adapters ? ["Lora", "lora", "loras"] : ["embeddings", "Embeddings"]
    }
  }

  /// The folder.
  public let folder: String
  private let paths: [String: [String]]

  /// The names, sorted.
  public var names: [String] { paths.keys.sorted() }

  /// Lists a folder.
  ///
  /// - Throws: ``PipelineError/noModel(path:problem:)`` where there is none.
  public init(folder: String) throws(PipelineError) {
    var isFolder: ObjCBool = false
    // A link to a folder is not listed, what it leads to is.
    let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    guard FileManager.default.fileExists(atPath: real, isDirectory: &isFolder),
      isFolder.boolValue, let found = FileManager.default.enumerator(atPath: real)
    else { throw .noModel(path: folder, problem: "no such folder") }
    self.folder = folder
    var paths: [String: [String]] = [:]
    for case let path as String in found {
      let url = URL(fileURLWithPath: path)
      guard ["safetensors", "pt", "ckpt", "bin"].contains(url.pathExtension.lowercased()) else {
        continue
      }
      let name = url.deletingPathExtension().lastPathComponent
      paths[name, default: []].append(folder + "/" + path)
    }
    self.paths = paths
  }

  /// The folder that is given, else the one that the environment names, else what AUTOMATIC1111's and ComfyUI's folders of
  /// models have beside `model` or up to two folders above it. `nil` where there is none.
  public init?(_ kind: Kind, given: String?, beside model: String) throws(PipelineError) {
    if let named = given ?? ProcessInfo.processInfo.environment[kind.variable] {
      try self.init(folder: named)
      return
    }
    var folder = URL(fileURLWithPath: model)
    for _ in 0..<3 {
      folder.deleteLastPathComponent()
      for name in kind.folders {
        let path = folder.appendingPathComponent(name).path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
          isFolder.boolValue
        {
          try self.init(folder: path)
          return
        }
      }
    }
    return nil
  }

  /// The file of a name.
  ///
  /// - Parameter mention: what asked for it, for the error.
  /// - Throws: ``PipelineError/request(part:problem:)`` with the names that there are.
  public func path(of name: String, for mention: String) throws(PipelineError) -> String {
    let found = paths[name] ?? []
    if found.count == 1 { return found[0] }
    let problem =
      found.isEmpty
      ? "\(mention): there is no \(name) in \(folder), which has "
        + (names.isEmpty ? "no file of parameters" : names.joined(separator: ", "))
      : "\(mention): there is more than one: \(found.sorted().joined(separator: ", "))"
    throw .request(part: "prompt", problem: problem)
  }
}
