import Foundation
import TensorCheckpoints
import TensorCore

extension PictureIndex {
  private static let (kindKey, kind) = ("kind", "picture-index/1")

  /// Reads an index; where there is no file, it is empty.
  ///
  /// - Throws: ``PipelineError`` where the file is something else or damaged.
  public init(path: String) throws(PipelineError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let problem: String
    do {
      let file = try SafetensorsFile(path: path)
      guard file.metadata[Self.kindKey] == Self.kind, let json = file.metadata["entries"] else {
        throw CheckpointError.malformed(path: path, reason: "it is no index of pictures")
      }
      let entries = try JSONDecoder().decode([Entry].self, from: Data(json.utf8))
      let (vectors, probe) = (
        try file.tensor(named: "vectors"), try file.tensor(named: "probe").floats
      )
      guard vectors.rank == 2, vectors.shape[0] == entries.count else {
        throw CheckpointError.malformed(
          path: path, reason: "\(entries.count) pictures with vectors of shape \(vectors.shape)")
      }
      let (values, width) = (vectors.floats, vectors.shape[1])
      for (index, entry) in entries.enumerated() {
        self.vectors[entry.path] = Array(values[index * width..<(index + 1) * width])
      }
      self.entries = entries.filter { self.vectors[$0.path] != nil }
      self.probe = probe
      return
    } catch let error as CheckpointError {
      throw .model(.checkpoint(error))
    } catch {
      problem = "its list of pictures cannot be read: \(error)"
    }
    throw .noModel(path: path, problem: problem)
  }

  /// Writes the index, whole or not at all: `vectors [pictures, width]`, `probe`, and the files in the metadata.
  public func write(to path: String) throws(PipelineError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(entries) else {
      throw .noModel(path: path, problem: "the list of pictures cannot be written as JSON")
    }
    var writer = CheckpointWriter(metadata: [
      Self.kindKey: Self.kind, "entries": String(decoding: json, as: UTF8.self),
    ])
    let rows = entries.map { vectors[$0.path] ?? [] }
    writer.add(
      "vectors", Tensor(rows.flatMap { $0 }, shape: [rows.count, rows.first?.count ?? 0]))
    writer.add("probe", Tensor(probe, shape: [probe.count]))
    do throws(CheckpointError) {
      try writer.write(to: path)
    } catch {
      throw .model(.checkpoint(error))
    }
  }
}
