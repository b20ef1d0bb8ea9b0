import TensorCheckpoints
import TensorCore

/// Those tensors of a checkpoint whose names begin with a prefix, under the rest of their names.
public struct CheckpointPart<Source: CheckpointSource>: CheckpointSource {
  /// The whole.
  public let source: Source
  /// What the names begin with, the dot included.
  public let prefix: String
  /// What they do not begin with.
  public let excluded: [String]

  /// The part of `source` under `prefix`, without what is under any of `excluded`.
  public init(_ source: Source, under prefix: String, excluding excluded: [String] = []) {
    self.source = source
    self.prefix = prefix
    self.excluded = excluded
  }

  /// Where the whole is.
  public var path: String { source.path }
  /// The texts of the whole.
  public var metadata: [String: String] { source.metadata }

  /// The tensors of the part, under the rest of their names.
  public var entries: [CheckpointEntry] { source.entries.compactMap(own) }

  /// What the source says of the tensor of this name; nil where the part has none.
  public func entry(named name: String) -> CheckpointEntry? {
    source.entry(named: prefix + name).flatMap(own)
  }

  /// The tensor of this name, in its stored type and layout.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    guard entry(named: name) != nil else { throw .missing(path: path, name: prefix + name) }
    return try source.tensor(named: prefix + name)
  }

  private func own(_ entry: CheckpointEntry) -> CheckpointEntry? {
    guard entry.name.hasPrefix(prefix), !excluded.contains(where: { entry.name.hasPrefix($0) })
    else { return nil }
    return CheckpointEntry(
      name: String(entry.name.dropFirst(prefix.count)), type: entry.type, shape: entry.shape)
  }
}
