import ArgumentParser
import DiffusionImages
import Foundation

/// Where the pictures of a run go, checked before anything is computed.
struct PictureOutput {
  /// One file a picture.
  let paths: [String]
  /// The grid's file, where several pictures were asked for without a pattern.
  let gridPath: String?

  /// - Parameter path: a PNG file, or a pattern with one `%d` or `%03d`.
  init(path: String, count: Int) throws {
    guard path.lowercased().hasSuffix(".png") else {
      throw ValidationError("--out takes the name of a .png file, not \(path).")
    }
    let holders = path.matches(of: /%(0?)(\d{0,2})d/)
    guard holders.count <= 1, path.filter({ $0 == "%" }).count == holders.count else {
      throw ValidationError("--out takes one place for the number, such as %03d, not \(path).")
    }
    if let holder = holders.first {
      let format = String(path[holder.range])
      paths = (0..<count).map { index in
        path.replacingCharacters(in: holder.range, with: String(format: format, index))
      }
      gridPath = nil
    } else if count == 1 {
      (paths, gridPath) = ([path], nil)
    } else {
      let stem = path.dropLast(4)
      paths = (0..<count).map { "\(stem)-\(String(format: "%03d", $0)).png" }
      gridPath = path
    }
    try Self.expectWritable(fileAt: path)
  }

  /// Where an unfinished picture is shown.
  func previewPath(of index: Int) -> String { paths[index].dropLast(4) + "-preview.png" }

  /// All pictures on one sheet, where a grid was asked for.
  func writeGrid(_ images: [Image]) throws {
    guard let gridPath else { return }
    try Image.grid(images).writePNG(to: gridPath)
  }

  /// Checks, before anything is computed, that a file can be put where it is to go.
  static func expectWritable(fileAt path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
    guard exists && isFolder.boolValue else {
      throw UnwritableOutput(folder: folder, problem: exists ? "is no folder" : "does not exist")
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw UnwritableOutput(folder: folder, problem: "cannot be written to")
    }
  }
}

/// The folder for the pictures cannot take them.
struct UnwritableOutput: Error, CustomStringConvertible {
  let folder: String
  let problem: String

  var description: String {
    "--out: the folder \(folder) \(problem); make it, or name a file in another one"
  }
}
