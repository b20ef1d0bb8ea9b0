import DiffusionImages
import Foundation
import TensorCheckpoints
import TensorCore

/// Pictures of folders with their vectors, to be searched by text or picture; kept in a file and brought up to date rather
/// than made anew.
public struct PictureIndex: Sendable {
  /// A picture's file, and when it was read.
  public struct Entry: Sendable, Hashable, Codable {
    /// Its absolute path.
    public let path: String
    /// Its size in bytes.
    public let size: Int
    /// When it was last changed, in nanoseconds since 1970.
    public let modified: Int
  }

  /// What bringing up to date did.
  public struct Changes: Sendable, Equatable, Codable {
    /// Pictures of the folder that were not there before, and that were there as other files.
    public var added = 0, changed = 0
    /// Pictures that are no longer there, and those that are as they were.
    public var removed = 0, kept = 0
    /// Files that cannot be read, with why.
    public var skipped: [String: String] = [:]
  }

  /// A picture that was found.
  public struct Match: Sendable, Equatable, Codable {
    /// Its path.
    public let path: String
    /// The cosine of its vector and the query's.
    public let similarity: Double
  }

  /// The pictures, in the order of their paths' bytes.
  public internal(set) var entries: [Entry] = []
  /// Their vectors of length 1, by path.
  var vectors: [String: [Float]] = [:]
  /// What the model makes of a word and of a grey picture: another model has other ones.
  var probe: [Float] = []

  /// Pictures go through the network so many at a time.
  private static let batchSize = 16

  /// An index of nothing.
  public init() {}

  /// Takes in what is new or other in a folder and the folders in it, and lets go of what is gone. Entries of other folders
  /// stay. Where the vectors are another model's, all of them are let go of.
  ///
  /// - Parameters:
  ///   - progress: told how many of the pictures to be read are done; answers whether to go on.
  /// - Throws: ``PipelineError`` where the folder cannot be listed.
  public mutating func update(
    folder: String, with model: CLIPModel, progress: (Int, Int) -> Bool = { _, _ in true }
  ) throws(PipelineError) -> Changes {
    let probe = Self.probe(of: model)
    if !Self.agree(probe, self.probe) { (entries, vectors) = ([], [:]) }
    self.probe = probe
    let root = Self.absolute(folder)
    let found = try Self.pictures(in: root)
    let known = Dictionary(entries.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
    var changes = Changes()
    let gone = Set(entries.filter { Self.isInside($0.path, root) }.map(\.path))
      .subtracting(found.map(\.path))
    changes.removed = gone.count
    entries.removeAll { gone.contains($0.path) }
    for path in gone { vectors[path] = nil }
    let fresh = found.filter { known[$0.path] != $0 }
    changes.kept = found.count - fresh.count
    for start in stride(from: 0, to: fresh.count, by: Self.batchSize) {
      guard progress(start, fresh.count) else { break }
      embed(fresh[start..<min(start + Self.batchSize, fresh.count)], model, known, &changes)
    }
    entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    return changes
  }

  private mutating func embed(
    _ batch: ArraySlice<Entry>, _ model: CLIPModel, _ known: [String: Entry],
    _ changes: inout Changes
  ) {
    var (images, read): ([Image], [Entry]) = ([], [])
    for entry in batch {
      entries.removeAll { $0.path == entry.path }
      vectors[entry.path] = nil
      do throws(ImageError) {
        images.append(try Image(reading: entry.path))
        read.append(entry)
      } catch {
        changes.skipped[entry.path] = error.description
      }
    }
    guard !images.isEmpty else { return }
    let found = model.embedded(pictures: images)
    let (values, width) = (found.floats, found.shape[1])
    for (index, entry) in read.enumerated() {
      entries.append(entry)
      vectors[entry.path] = Array(values[index * width..<(index + 1) * width])
      if known[entry.path] == nil { changes.added += 1 } else { changes.changed += 1 }
    }
  }

  /// The pictures of a folder whose vectors are nearest to a query's, the nearest first.
  ///
  /// - Parameter query: `[1, width]`, of length 1.
  public func nearest(to query: Tensor, count: Int, in folder: String) -> [Match] {
    let (values, root) = (query.floats, Self.absolute(folder))
    let matches = entries.filter { Self.isInside($0.path, root) }.map { entry in
      let vector = vectors[entry.path] ?? []
      let cosine = zip(vector, values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      return Match(path: entry.path, similarity: cosine)
    }
    return Array(
      matches.sorted { ($0.similarity, $1.path) > ($1.similarity, $0.path) }.prefix(count))
  }

  // MARK: - Files and models

  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }

  private static func isInside(_ path: String, _ root: String) -> Bool {
    path.hasPrefix(root.hasSuffix("/") ? root : root + "/")
  }

  private static func pictures(in root: String) throws(PipelineError) -> [Entry] {
    guard let names = try? FileManager.default.subpathsOfDirectory(atPath: root) else {
      throw .request(part: "folder", problem: "\(root) is not a folder that can be listed")
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { name in
      guard PictureFormat.endings.contains(where: { name.lowercased().hasSuffix("." + $0) }),
        !name.split(separator: "/").contains(where: { $0.hasPrefix(".") })
      else { return nil }
      let path = root + "/" + name
      var status = stat()
      guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      #if canImport(Darwin)
        let time = status.st_mtimespec
      #else
        let time = status.st_mtim
      #endif
      return Entry(
        path: path, size: Int(status.st_size),
        modified: Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec))
    }
  }

  private static func probe(of model: CLIPModel) -> [Float] {
    let grey = Image(width: 8, height: 8, filledWith: [128, 128, 128])
    return model.embedded(texts: ["picture"]).floats + model.embedded(pictures: [grey]).floats
  }

  /// Whether two probes are one model's: equal but for the rounding of other kernels.
  private static func agree(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-3 }
  }
}
