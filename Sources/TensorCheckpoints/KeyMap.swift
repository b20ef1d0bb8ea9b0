import TensorCore

/// A bijection between the names of a foreign format and the engine's: what is loaded through it is saved through it
/// under the names it had.
///
/// Whole names come first, then prefixes, of which the first that fits counts and renames a whole part of a model. A
/// name that neither fits stays as it is. A map that would give two names of a file the same answer, or another answer
/// on the way back, is refused where it is applied.
public struct KeyMap: Sendable, Hashable {
  /// A start of foreign names and what stands for it in the engine's.
  public struct Prefix: Sendable, Hashable {
    /// The start of a foreign name.
    public let foreign: String
    /// The start of the engine's name.
    public let own: String

    /// Names that begin with `foreign` begin with `own` in the engine.
    public init(_ foreign: String, _ own: String) {
      self.foreign = foreign
      self.own = own
    }
  }

  private let ownNames: [TensorName: String]
  private let foreignNames: [TensorName: String]
  private let prefixes: [Prefix]

  /// A map of whole names, each to be given once on either side, and of prefixes.
  public init(names: [(foreign: String, own: String)] = [], prefixes: [Prefix] = []) {
    self.prefixes = prefixes
    ownNames = Dictionary(names.map { (TensorName($0.foreign), $0.own) }, uniquingKeysWith: { $1 })
    foreignNames = Dictionary(
      names.map { (TensorName($0.own), $0.foreign) }, uniquingKeysWith: { $1 })
    require(
      ownNames.count == names.count && foreignNames.count == names.count, "KeyMap",
      "a name is given twice; every name has one counterpart")
  }

  /// The map under which every name stays as it is.
  public static let identity = KeyMap()

  /// The engine's name of a foreign one.
  public func own(_ foreign: String) -> String {
    ownNames[TensorName(foreign)] ?? renamed(foreign, from: \.foreign, to: \.own)
  }

  /// The foreign name of one of the engine's.
  public func foreign(_ own: String) -> String {
    foreignNames[TensorName(own)] ?? renamed(own, from: \.own, to: \.foreign)
  }

  private func renamed(
    _ name: String, from: KeyPath<Prefix, String>, to: KeyPath<Prefix, String>
  ) -> String {
    for prefix in prefixes where name.utf8.starts(with: prefix[keyPath: from].utf8) {
      let rest = name.utf8.dropFirst(prefix[keyPath: from].utf8.count)
      return prefix[keyPath: to] + String(decoding: rest, as: UTF8.self)
    }
    return name
  }

  /// The first foreign name of a list that does not come back from the map as it went in, or that meets another.
  func collision(in names: [String]) -> String? {
    var seen: Set<TensorName> = []
    return names.first { name in
      let own = own(name)
      return TensorName(foreign(own)) != TensorName(name) || !seen.insert(TensorName(own)).inserted
    }
  }
}

/// A checkpoint of a foreign format under the engine's names.
public struct MappedCheckpoint<Source: CheckpointSource>: CheckpointSource {
  private let source: Source
  private let map: KeyMap

  /// `source` under the names that `map` gives. Throws ``CheckpointError/malformed(path:reason:)`` where two names of
  /// the file would be one, or a name would not come back.
  public init(_ source: Source, map: KeyMap) throws(CheckpointError) {
    if let name = map.collision(in: source.entries.map(\.name)) {
      throw .malformed(
        path: source.path,
        reason: "the name \(quoted(name)) becomes \(quoted(map.own(name))), which another has or "
          + "which goes back to \(quoted(map.foreign(map.own(name))))")
    }
    self.source = source
    self.map = map
  }

  /// Where the file is.
  public var path: String { source.path }
  /// Texts that were stored beside the tensors.
  public var metadata: [String: String] { source.metadata }

  /// Every tensor under the engine's name, in the order of the file.
  public var entries: [CheckpointEntry] {
    source.entries.map {
      CheckpointEntry(name: map.own($0.name), type: $0.type, shape: $0.shape)
    }
  }

  /// What the file says of the tensor of this name; nil where there is none.
  public func entry(named name: String) -> CheckpointEntry? {
    guard let entry = source.entry(named: map.foreign(name)) else { return nil }
    return TensorName(map.own(entry.name)) == TensorName(name)
      ? CheckpointEntry(name: name, type: entry.type, shape: entry.shape) : nil
  }

  /// The tensor of this name, in its stored type and layout.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    guard entry(named: name) != nil else { throw .missing(path: path, name: name) }
    return try source.tensor(named: map.foreign(name))
  }

  /// The elements of the tensor of this name as they are stored.
  public func elements(named name: String) throws(CheckpointError) -> StoredElements {
    guard entry(named: name) != nil else { throw .missing(path: path, name: name) }
    return try source.elements(named: map.foreign(name))
  }
}

extension CheckpointSource {
  /// This checkpoint under the names that `map` gives; throws as ``MappedCheckpoint/init(_:map:)`` does.
  public func renamed(by map: KeyMap) throws(CheckpointError) -> any CheckpointSource {
    try MappedCheckpoint(self, map: map)
  }
}
