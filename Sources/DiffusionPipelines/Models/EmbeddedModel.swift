import Foundation

/// The model that comes with the engine: a class-conditional DDPM of handwritten digits.
///
/// The resource is looked up by hand: `Bundle.module` ends the program where the binary was copied away from its build
/// folder.
public enum EmbeddedModel {
  /// The file's name.
  public static let fileName = "mnist.safetensors"
  /// The folder that SwiftPM puts this target's resources into, beside the binary.
  static let resourceFolder = "swift-diffusion-engine_DiffusionPipelines"

  /// Where the model is.
  ///
  /// - Throws: ``PipelineError/embeddedModelMissing(searched:)`` with every place that was searched.
  public static func path() throws(PipelineError) -> String {
    try path(fromBinary: binary)
  }

  /// Where the model of a binary is.
  package static func path(fromBinary binary: String) throws(PipelineError) -> String {
    let places = candidates(fromBinary: binary)
    for place in places where FileManager.default.fileExists(atPath: place) { return place }
    throw .embeddedModelMissing(searched: places)
  }

  /// The running program's file, with symbolic links followed.
  private static var binary: String {
    let path = Bundle.main.executablePath ?? CommandLine.arguments.first ?? "diffusion"
    return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  /// In order: in its resource folder beside the binary (the build folder, and a copy with its resources), beside the
  /// binary itself, and in `../share/diffusion` (what `make install` makes).
  private static func candidates(fromBinary binary: String) -> [String] {
    let folder = URL(fileURLWithPath: binary).deletingLastPathComponent()
    let folders = [
      folder.appendingPathComponent("\(resourceFolder).resources"),
      folder.appendingPathComponent("\(resourceFolder).bundle/Contents/Resources"),
      folder,
      folder.deletingLastPathComponent().appendingPathComponent("share/diffusion"),
    ]
    return folders.map { $0.appendingPathComponent(fileName).path }
  }
}
