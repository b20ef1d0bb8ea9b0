import Foundation
import Testing

/// The `diffusion` command as a process in a folder of its own.
struct Program {
  /// What a run did.
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    /// The lines of standard error.
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
  }

  /// The folder the program runs in; gone with ``remove()``.
  let folder: URL
  /// The program's file.
  let binary: URL

  /// The folder that the build put its products into.
  static let products = URL(fileURLWithPath: CommandLine.arguments[0])
    .resolvingSymlinksInPath().deletingLastPathComponent()
  /// The name of the folder with the embedded model.
  static let resources = "swift-diffusion-engine_DiffusionPipelines.resources"

  init(binary: URL = Program.products.appendingPathComponent("diffusion")) throws {
    self.binary = binary
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

  /// The names of all files in the folder.
  var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  /// Runs to the end. `interruptAfter` sends SIGINT once this many files are in the folder.
  func run(_ arguments: [String], interruptAfter files: Int? = nil) throws -> Outcome {
    let process = Process()
    process.executableURL = binary
    process.arguments = arguments
    process.currentDirectoryURL = folder
    // Files, not pipes: a full pipe would stop the program.
    let (out, err) = (folder.appendingPathExtension("out"), folder.appendingPathExtension("err"))
    for url in [out, err] { try Data().write(to: url) }
    defer { for url in [out, err] { try? FileManager.default.removeItem(at: url) } }
    process.standardOutput = try FileHandle(forWritingTo: out)
    process.standardError = try FileHandle(forWritingTo: err)
    try process.run()
    if let files {
      while process.isRunning && self.files.count < files { usleep(2000) }
      process.interrupt()
    }
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: out), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: err), as: UTF8.self))
  }

  func run(_ line: String) throws -> Outcome {
    try run(line.split(separator: " ").map(String.init))
  }
}
