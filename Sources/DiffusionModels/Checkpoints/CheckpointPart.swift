import TensorCheckpoints
import TensorCore

/// Those tensors of a checkpoint whose names begin with a prefix.
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
  /// The tensors of the part.
  public var entries: [CheckpointEntry] { source.entries.filter { contains($0.name) } }

  /// What the source says of the tensor of this name; nil where the part has none.
  public func entry(named name: String) -> CheckpointEntry? {
    contains(name) ? source.entry(named: name) : nil
  }

  /// The tensor of this name, in its stored type and layout.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    guard contains(name) else { throw .missing(path: path, name: name) }
    return try source.tensor(named: name)
  }

  /// The elements of the tensor of this name as they are stored.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard contains(name) else { throw .missing(path: path, name: name) }
    return try source.elements(named: name)
  }

  private func contains(_ name: String) -> Bool {
    name.hasPrefix(prefix) && !excluded.contains { name.hasPrefix($0) }
  }
}

extension CheckpointSource {
  /// The part under `prefix`.
  public func part(under prefix: String) -> any CheckpointSource {
    CheckpointPart(self, under: prefix)
  }
}
