import DiffusionImages
import Foundation

/// A folder of pictures (PNG, JPEG, WebP), with a manifest that says more about them or without; read one by one
/// when asked for.
public struct ImageFolder: Dataset {
  /// What to do about files that are damaged, or that a manifest names and that do not exist.
  public enum FaultPolicy: String, Sendable {
    /// A missing file is an error on opening, a damaged one when it is read.
    case refuse
    /// Every file is read once on opening; `skipped` names the ones that are left out.
    case skip
  }

  /// A file that was left out.
  public struct SkippedFile: Sendable, Equatable {
    /// Its path.
    public let path: String
    /// What is wrong with it.
    public let error: DataError
  }

  /// Which columns of a manifest hold what.
  public struct Columns: Sendable, Equatable {
    /// The paths, from the manifest's folder or absolute.
    public var file: String
    /// The captions; without it samples have none.
    public var caption: String?
    /// The classes; without it samples have none. An empty field is a sample without a class.
    public var classes: String?

    /// Columns of the given names.
    public init(file: String = "file", caption: String? = nil, classes: String? = nil) {
      self.file = file
      self.caption = caption
      self.classes = classes
    }
  }

  private struct Entry: Sendable {
    let identifier: String
    let path: String
    let classIndex: Int?
    let caption: String?
    var fault: DataError?
  }

  /// The classes in the order of their indices; empty without a class column.
  public let classNames: [String]
  /// The files that were left out on opening, in the data's order; none unless asked to skip.
  public let skipped: [SkippedFile]
  private let entries: [Entry]
  private let limits: PictureLimits

  /// All `.png`, `.jpg`, `.jpeg` and `.webp` files in a folder and the folders in it, in the order of their paths' bytes.
  ///
  /// - Throws: `DataError` where the folder cannot be listed or has no such file.
  public init(
    folder: String, onFault policy: FaultPolicy = .refuse, limits: PictureLimits = PictureLimits()
  ) throws(DataError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw .noImages(path: folder, reason: "there is no such folder")
    }
    guard isFolder.boolValue,
      let names = try? FileManager.default.subpathsOfDirectory(atPath: folder)
    else { throw .noImages(path: folder, reason: "it is not a folder that can be listed") }
    let pictures = names.filter { name in
      PictureFormat.endings.contains { name.lowercased().hasSuffix("." + $0) }
        && !name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    let entries = pictures.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
      Entry(identifier: $0, path: folder + "/" + $0, classIndex: nil, caption: nil)
    }
    try self.init(entries, of: folder, classNames: [], policy, limits)
  }

  /// The files that a manifest names, in its order.
  ///
  /// - Parameters:
  ///   - classNames: the classes in order; by default all that the manifest has, in the order of
  ///     their names (of their values, where all are whole numbers).
  /// - Throws: `DataError` where the manifest is malformed, lacks a column, has a class that is not
  ///   in `classNames`, or names a missing file, unless asked to skip that.
  public init(
    manifest path: String, columns: Columns = Columns(), classNames: [String]? = nil,
    onFault policy: FaultPolicy = .refuse, limits: PictureLimits = PictureLimits()
  ) throws(DataError) {
    let manifest = try Manifest(reading: path)
    let file = try manifest.index(ofColumn: columns.file)
    let caption = try Self.index(ofColumn: columns.caption, in: manifest)
    let classColumn = try Self.index(ofColumn: columns.classes, in: manifest)
    let names = classColumn.map { classNames ?? Self.classNames(of: manifest, column: $0) } ?? []
    let folder = (path as NSString).deletingLastPathComponent
    var entries: [Entry] = []
    for row in manifest.rows {
      let name = row.fields[file]
      let place = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
      var entry = Entry(
        identifier: name, path: place,
        classIndex: try Self.classIndex(of: row, column: classColumn, names: names, manifest: path),
        caption: caption.map { row.fields[$0] })
      if name.isEmpty || !FileManager.default.fileExists(atPath: place) {
        entry.fault = .missingFile(manifest: path, line: row.line, file: place)
      }
      entries.append(entry)
    }
    try self.init(entries, of: path, classNames: names, policy, limits)
  }

  private init(
    _ entries: [Entry], of path: String, classNames: [String], _ policy: FaultPolicy,
    _ limits: PictureLimits
  ) throws(DataError) {
    var skipped: [SkippedFile] = []
    var sound: [Entry] = []
    for entry in entries {
      let fault = entry.fault ?? (policy == .skip ? Self.fault(of: entry.path, limits) : nil)
      if let fault, policy == .refuse { throw fault }
      if let fault {
        skipped.append(SkippedFile(path: entry.path, error: fault))
      } else {
        sound.append(entry)
      }
    }
    guard !sound.isEmpty else {
      let reason =
        skipped.isEmpty
        ? "no pictures (\(PictureFormat.endings.joined(separator: ", "))) are in it"
        : "all \(skipped.count) files were skipped"
      throw .noImages(path: path, reason: reason)
    }
    self.entries = sound
    self.classNames = classNames
    self.skipped = skipped
    self.limits = limits
  }

  /// What is wrong with a file.
  private static func fault(of path: String, _ limits: PictureLimits) -> DataError? {
    do throws(ImageError) {
      _ = try PictureFile(reading: path, limits: limits)
      return nil
    } catch {
      return .image(error)
    }
  }

  private static func index(
    ofColumn name: String?, in manifest: Manifest
  ) throws(DataError) -> Int? {
    guard let name else { return nil }
    return try manifest.index(ofColumn: name)
  }

  /// How many files there are, without the skipped ones.
  public var count: Int { entries.count }

  /// The path as the manifest has it, or from the folder.
  public func identifier(at index: Int) -> String { entries[index].identifier }

  /// Reads a file.
  ///
  /// - Throws: `DataError.image` where it is gone or damaged.
  public func sample(at index: Int) throws(DataError) -> TrainingSample {
    let entry = entries[index]
    do throws(ImageError) {
      let image = try Image(reading: entry.path, limits: limits)
      return TrainingSample(image: image, classIndex: entry.classIndex, caption: entry.caption)
    } catch {
      throw .image(error)
    }
  }

  /// The distinct values of a column but the empty one.
  private static func classNames(of manifest: Manifest, column: Int) -> [String] {
    let names = Set(manifest.rows.map { $0.fields[column] }).subtracting([""])
    let numbers = names.compactMap { name in Int(name).map { (number: $0, name: name) } }
    if numbers.count == names.count {
      return numbers.sorted { ($0.number, $0.name) < ($1.number, $1.name) }.map(\.name)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func classIndex(
    of row: Manifest.Row, column: Int?, names: [String], manifest: String
  ) throws(DataError) -> Int? {
    guard let column, !row.fields[column].isEmpty else { return nil }
    let name = row.fields[column]
    guard let index = names.firstIndex(of: name) else {
      throw .malformedManifest(
        path: manifest, line: row.line, reason: "class \"\(name)\" is not one of the given classes")
    }
    return index
  }
}
