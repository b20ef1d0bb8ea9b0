import Foundation

/// Files that come with the engine, looked up by hand: `Bundle.module` ends the program where the binary was copied away
/// from its build folder.
enum EmbeddedResource {
  /// Where a file is, or every place that was searched for it.
  enum Search {
    case found(String)
    case missing([String])
  }

  /// The folder that SwiftPM puts this target's resources into, beside the binary.
  private static let folderName = "swift-diffusion-engine_DiffusionPipelines"

  /// The running program's file, with symbolic links followed.
  static var binary: String {
    let path = Bundle.main.executablePath ?? CommandLine.arguments.first ?? "diffusion"
    return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  /// Searches, in order: the resource folder beside the binary (the build folder, and a copy with its resources), beside
  /// the binary itself, and `../share/diffusion` (what `make install` makes).
  static func find(_ fileName: String, fromBinary binary: String) -> Search {
    let folder = URL(fileURLWithPath: binary).deletingLastPathComponent()
    let folders = [
      folder.appendingPathComponent("\(folderName).resources"),
      folder.appendingPathComponent("\(folderName).bundle/Contents/Resources"),
      folder,
      folder.deletingLastPathComponent().appendingPathComponent("share/diffusion"),
    ]
    let places = folders.map { $0.appendingPathComponent(fileName).path }
    return places.first { FileManager.default.fileExists(atPath: $0) }.map(Search.found)
      ?? .missing(places)
  }
}
