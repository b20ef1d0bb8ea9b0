import Foundation

/// The folder of data and conformance files that stands beside the project, where it is present.
public enum Shared {
  /// `SHARED_DIR`, or `../shared` beside the package.
  public static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["SHARED_DIR"] {
      return URL(fileURLWithPath: path)
    }
    let siblings = package.deletingLastPathComponent()
    return siblings.appendingPathComponent("shared")
  }()

  /// The package's own folder.
  public static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Fixtures that are committed with the project.
  public static let golden = package.appendingPathComponent("Tests/Golden")

  /// Whether the shared folder is there.
  public static let isPresent = FileManager.default.fileExists(
    atPath: folder.appendingPathComponent("README.md").path)

  /// Whether slow tests are asked for.
  public static let runsSlowTests = ProcessInfo.processInfo.environment["SLOW_TESTS"] == "1"

  /// Why a test that needs the folder was left out.
  public static let absence = "the shared folder is absent: put it at ../shared or set SHARED_DIR"
}
